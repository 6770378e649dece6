"""Radio and broker: the only room that imports network and opens sockets."""
