"""An embedded broker and Redis: what the demo and the tests run on. Real servers, from wheels, on loopback."""
