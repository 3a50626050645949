//! Which shared libraries a program needs, as its ELF says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use object::elf::{self, FileHeader64};
use object::read::elf::{ElfFile, FileHeader as _};
use object::{Endianness, FileKind};

/// A library, and a version of it where one is asked for: `libc.so.6` and `GLIBC_2.34`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) library: String,
    pub(crate) version: Option<String>,
}

/// What a program needs; a static one needs nothing.
pub(crate) fn of(program: &Path) -> Result<BTreeSet<Need>> {
    let data = fs::read(program).with_context(|| format!("{}", program.display()))?;
    read(&data).with_context(|| format!("{}", program.display()))
}

fn read(data: &[u8]) -> Result<BTreeSet<Need>> {
    FileKind::parse(data)?;
    let file = ElfFile::<FileHeader64<Endianness>>::parse(data)?;
    let (header, endian) = (file.elf_header(), file.endian());
    let sections = header.sections(endian, data)?;
    let mut needs = BTreeSet::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some((entries, strings)) = sections.dynamic(endian, data)? {
        let strings = sections.strings(endian, data, strings)?;
        for entry in entries {
            if entry.d_tag.get(endian) == elf::DT_NEEDED {
                let at = u32::try_from(entry.d_val.get(endian))?;
                let library = strings.get(at).ok().context("a library without a name")?;
                needs.insert(Need {
                    library: text(library),
                    version: None,
                });
            }
        }
    }
    if let Some((mut libraries, strings)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, strings)?;
        while let Some((library, mut versions)) = libraries.next()? {
            while let Some(version) = versions.next()? {
                // Weak: the program starts without it.
                if !version.vna_flags.get(endian).contains(elf::VER_FLG_WEAK) {
                    needs.insert(Need {
                        library: text(library.file(endian, strings)?),
                        version: Some(text(version.name(endian, strings)?)),
                    });
                }
            }
        }
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn this_test_needs_a_c_library() {
        let needs = of(&std::env::current_exe().unwrap()).unwrap();
        let libc = needs.iter().filter(|need| need.library == "libc.so.6");
        let versions: Vec<_> = libc.filter_map(|need| need.version.as_deref()).collect();
        assert!(versions.contains(&"GLIBC_2.34"), "{needs:?}");
    }
}
