"""An exception at every bytecode instruction of the library: nothing is lost, or it is found."""
