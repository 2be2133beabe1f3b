"""The canary: a small source of known redundancy that is measured beside the real ones, to see that measuring works."""
