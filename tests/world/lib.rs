//! What holds across processes.
