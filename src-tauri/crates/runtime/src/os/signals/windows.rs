//! Windows: what comes to a process with a console. One without is told the end of its login by a message to its
//! window, which `kubefob`'s `platform` has. Type-checked only: nobody has run it yet.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
    ctrl_logoff, ctrl_shutdown,
};

pub(crate) struct Signals {
    interrupt: CtrlC,
    breaks: CtrlBreak,
    close: CtrlClose,
    logoff: CtrlLogoff,
    shutdown: CtrlShutdown,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            breaks: ctrl_break()?,
            close: ctrl_close()?,
            logoff: ctrl_logoff()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.breaks.recv() => "Ctrl-Break",
            // The system ends us whatever we say.
            _ = self.close.recv() => "its console is closed",
            _ = self.logoff.recv() => "the login ends",
            _ = self.shutdown.recv() => "the system ends",
        }
    }
}
