//! macOS: an agent of launchd's, in the person's own folder (launchd.plist(5)). It is shown in the system's settings
//! among what opens at a login, and can be switched off there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::named;

/// The agent's name begins so: another's is not touched.
const LABEL: &str = "dev.kubefob.kubefob";

/// Ours.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    path: PathBuf,
    label: String,
    program: PathBuf,
    instance: Option<String>,
}

impl Entry {
    /// That of this user, or of an instance of theirs.
    pub(crate) fn new(home: &Path, program: &Path, instance: Option<&str>) -> Self {
        let label = named(LABEL, instance);
        let agents = home.join("Library/LaunchAgents");
        Self {
            path: agents.join(format!("{label}.plist")),
            label,
            program: program.to_owned(),
            instance: instance.map(str::to_owned),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there.
    pub(crate) fn is_on(&self) -> bool {
        self.path.is_file()
    }

    /// Makes it or takes it away.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn set(&self, on: bool) -> io::Result<()> {
        if !on {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = atomic_write_file::AtomicWriteFile::open(&self.path)?;
        file.write_all(self.text().as_bytes())?;
        file.commit()
    }

    fn text(&self) -> String {
        let program = escaped(&self.program.display().to_string());
        let variables = self
            .instance
            .as_deref()
            .map_or_else(String::new, |instance| {
                let instance = escaped(instance);
                format!(
                    "<key>EnvironmentVariables</key>\
                 <dict><key>KUBEFOB_HOME</key><string>{instance}</string></dict>\n"
                )
            });
        let (label, background) = (&self.label, wire::start::BACKGROUND);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <plist version=\"1.0\"><dict>\n\
             <key>Label</key><string>{label}</string>\n\
             <key>ProgramArguments</key>\
             <array><string>{program}</string><string>{background}</string></array>\n\
             {variables}\
             <key>RunAtLoad</key><true/>\n\
             </dict></plist>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
