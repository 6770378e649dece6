// The stream, in a worker of its own: the page counts as loaded (and can be printed or tested) while it is open.
"use strict";

new EventSource("/aim/live").onmessage = (message) => postMessage(message.data);
