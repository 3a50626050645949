//! A program's file as the system loads it: whether all of it is there. Pure: bytes in, verdict out.
//!
//! Linux runs a file that was cut off, up to the page that is missing. So an ELF file must reach as far as its
//! own headers say (elf(5)). Other systems check a signature over the whole file themselves.

/// How much of a file's beginning is looked at: its header and the table of its segments.
pub(crate) const BEGINNING: usize = 4096;

const MAGIC: &[u8] = b"\x7fELF";
const PT_LOAD: u64 = 1;

/// Where the fields stand, which differs by the width of an address.
struct Layout {
    width: usize,
    segments: usize,
    sections: usize,
    /// The sizes and counts of both tables, two bytes each.
    counts: usize,
    offset: usize,
    length: usize,
}

const NARROW: Layout = Layout {
    width: 4,
    segments: 28,
    sections: 32,
    counts: 42,
    offset: 4,
    length: 16,
};
const WIDE: Layout = Layout {
    width: 8,
    segments: 32,
    sections: 40,
    counts: 54,
    offset: 8,
    length: 32,
};

/// Whether a file of this length with this beginning can be run where a program with the beginning `ours` runs.
///
/// # Errors
/// Why not.
pub(crate) fn check(beginning: &[u8], length: u64, ours: &[u8]) -> Result<(), &'static str> {
    if !ours.starts_with(MAGIC) {
        let same = beginning
            .get(..4)
            .is_some_and(|magic| ours.starts_with(magic));
        return if same {
            Ok(())
        } else {
            Err("it is no program")
        };
    }
    if !beginning.starts_with(MAGIC) {
        return Err("it is no program");
    }
    // Width, byte order and version; the machine.
    if beginning.get(4..7) != ours.get(4..7) || beginning.get(18..20) != ours.get(18..20) {
        return Err("it is a program for another machine");
    }
    match end(beginning) {
        Some(end) if end <= length => Ok(()),
        Some(_) | None => Err("a part of it is missing"),
    }
}

/// How far an ELF file must reach.
fn end(beginning: &[u8]) -> Option<u64> {
    let layout = if *beginning.get(4)? == 2 {
        WIDE
    } else {
        NARROW
    };
    let number = |at: usize, width: usize| {
        let bytes = beginning.get(at..at.checked_add(width)?)?;
        // As its byte order says: it is ours.
        Some(match width {
            2 => u16::from_ne_bytes(bytes.try_into().ok()?).into(),
            4 => u32::from_ne_bytes(bytes.try_into().ok()?).into(),
            _ => u64::from_ne_bytes(bytes.try_into().ok()?),
        })
    };
    let count = |index: usize| number(layout.counts + 2 * index, 2);
    let (segments, sections) = (
        number(layout.segments, layout.width)?,
        number(layout.sections, layout.width)?,
    );
    let (segment_size, segment_count) = (count(0)?, count(1)?);
    let (section_size, section_count) = (count(2)?, count(3)?);
    // The table of the sections is the last thing that a linker writes.
    let mut end = sections.checked_add(section_size.checked_mul(section_count)?)?;
    for index in 0..segment_count {
        let at = segments.checked_add(segment_size.checked_mul(index)?)?;
        let at = usize::try_from(at).ok()?;
        if number(at, 4)? == PT_LOAD {
            let offset = number(at.checked_add(layout.offset)?, layout.width)?;
            let length = number(at.checked_add(layout.length)?, layout.width)?;
            end = end.max(offset.checked_add(length)?);
        }
    }
    Some(end)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_whole_program_passes_and_every_cut_does_not() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let judge = |bytes: &[u8]| {
            let beginning = bytes.get(..BEGINNING).unwrap_or(bytes);
            check(beginning, bytes.len() as u64, &whole[..64])
        };
        assert_eq!(judge(&whole), Ok(()));
        for cut in (0..whole.len()).step_by(whole.len() / 997 + 1) {
            assert!(judge(&whole[..cut]).is_err(), "cut at {cut}");
        }
        assert!(judge(&whole[..whole.len() - 1]).is_err(), "its last byte");
    }

    #[test]
    fn a_program_for_another_machine_and_a_script_are_refused() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let ours = &whole[..64];
        let mut other = whole[..BEGINNING].to_vec();
        other[18] ^= 0x40;
        assert!(check(&other, whole.len() as u64, ours).is_err());
        assert!(check(b"#!/bin/sh\n", 10, ours).is_err());
        assert!(check(b"", 0, ours).is_err());
    }
}
