//! What Windows' taskbar wants: how long a tooltip, which ink, how large a picture.

use super::pictures::Ink;

/// How long a tooltip may be, in UTF-16 (`NOTIFYICONDATAW.szTip`, without the zero at its end).
const TOOLTIP: usize = 127;

/// A tooltip that fits, cut where it is too long. (tray-icon would cut off the zero at its end.)
pub(super) fn tooltip(text: &str) -> String {
    let end = |most: usize| {
        let mut length = 0;
        text.char_indices().find_map(|(at, character)| {
            length += character.len_utf16();
            (length > most).then_some(at)
        })
    };
    match (end(TOOLTIP), end(TOOLTIP - 1)) {
        (Some(_), Some(end)) => format!("{}…", text[..end].trim_end()),
        (Some(_) | None, _) => text.to_owned(),
    }
}

/// The ink for a taskbar of which `SystemUsesLightTheme` says this. Before there was such a setting it was dark.
pub(super) fn ink(light: Option<u32>) -> Ink {
    match light {
        None | Some(0) => Ink::Light,
        Some(_) => Ink::Dark,
    }
}

/// The smallest picture that need not be drawn larger than it is, or the largest.
pub(super) fn fitting<'a>(
    drawn: &'a [(i32, &'static [u8])],
    wanted: i32,
) -> Option<&'a (i32, &'static [u8])> {
    drawn
        .iter()
        .filter(|(size, _)| *size >= wanted)
        .min_by_key(|(size, _)| *size)
        .or_else(|| drawn.iter().max_by_key(|(size, _)| *size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tooltip_is_cut_between_characters_and_says_so() {
        let exactly = "e".repeat(127);
        assert_eq!(tooltip(&exactly), exactly);
        let too_long = "e".repeat(128);
        assert_eq!(tooltip(&too_long), format!("{}…", "e".repeat(126)));
        // Two units each.
        let keys = tooltip(&"🔑".repeat(64));
        assert_eq!(keys, format!("{}…", "🔑".repeat(63)));
        assert_eq!(keys.encode_utf16().count(), 127);
    }

    #[test]
    fn dark_ink_is_for_a_light_taskbar() {
        for (light, expected) in [
            (None, Ink::Light),
            (Some(0), Ink::Light),
            (Some(1), Ink::Dark),
        ] {
            assert_eq!(ink(light), expected, "{light:?}");
        }
    }

    #[test]
    fn no_picture_is_drawn_larger_than_it_is_if_there_is_a_larger_one() {
        let drawn: Vec<(i32, &[u8])> = vec![(32, &[]), (16, &[]), (20, &[])];
        let size = |wanted| fitting(&drawn, wanted).unwrap().0;
        assert_eq!([16, 17, 20, 24, 40].map(size), [16, 20, 20, 32, 32]);
        assert_eq!(fitting(&[], 16), None);
    }
}
