//! Kubeconfigs, loaded and merged as kubectl does.
