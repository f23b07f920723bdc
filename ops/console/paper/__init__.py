"""Pages for paper: plain HTML with a style sheet of its own, without a socket."""
