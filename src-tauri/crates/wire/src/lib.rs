//! The frames on Kubefob's socket, and where that socket is.
