// What the pages share: elements, and numbers as a person reads them.
"use strict";

const at = (id) => document.getElementById(id);

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function whole(number) {
  if (number === null) return "–";
  const digits = Math.abs(number).toFixed(0);
  return (number < 0 && digits !== "0" ? "−" : "") + digits;
}

function signed(number) {
  const text = whole(number);
  return number > 0 && text !== "0" ? `+${text}` : text;
}
