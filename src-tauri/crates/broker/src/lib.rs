//! Every decision of Kubefob: sessions, schedule, trust, commands.
