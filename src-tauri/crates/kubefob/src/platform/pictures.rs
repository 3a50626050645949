//! The tray's pictures, drawn by the build from `icons/tray`, in the sizes that this system asks for.

use broker::menu::Picture;

mod drawn {
    include!(concat!(env!("OUT_DIR"), "/pictures.rs"));
}

/// The colour of a picture. (macOS inks it itself.)
#[cfg(not(target_os = "macos"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ink {
    /// White, with a dark edge: for the dark panels that most desktops have.
    #[default]
    Light,
    /// Nearly black, with a light edge.
    Dark,
}

/// A picture in each size, a side's length in pixels: how much ink is where, of 255, row by row.
pub(super) fn drawn(picture: Picture) -> &'static [(i32, &'static [u8])] {
    match picture {
        Picture::SignedOut => drawn::SIGNED_OUT,
        Picture::SignedIn => drawn::SIGNED_IN,
        Picture::Renewing => drawn::RENEWING,
        Picture::NeedsYou => drawn::NEEDS_YOU,
        Picture::CannotReach => drawn::CANNOT_REACH,
    }
}

/// How strong the edge is where it is strongest, of 255: seen on a ground of the ink's own colour, and not on another.
#[cfg(not(target_os = "macos"))]
const EDGE: u32 = 160;

/// The picture in a colour, with an edge of the other around it: alpha and shade of each pixel, not multiplied.
#[cfg(not(target_os = "macos"))]
pub(super) fn inked(alpha: &[u8], width: usize, ink: Ink) -> impl Iterator<Item = (u8, u8)> {
    let (colour, edge) = match ink {
        Ink::Light => (255, 24),
        Ink::Dark => (24, 255),
    };
    alpha.iter().enumerate().map(move |(at, &inside)| {
        let inside = u32::from(inside);
        let around = u32::from(strongest_near(alpha, width, at)) * EDGE / 255;
        let outside = around * (255 - inside) / 255;
        let all = inside + outside;
        let shade = (colour * inside + edge * outside).checked_div(all);
        let shade = u8::try_from(shade.unwrap_or(0)).unwrap_or(u8::MAX);
        (u8::try_from(all).unwrap_or(u8::MAX), shade)
    })
}

/// The most ink within a pixel or, in the larger sizes, two.
#[cfg(not(target_os = "macos"))]
fn strongest_near(alpha: &[u8], width: usize, at: usize) -> u8 {
    let reach = (width / 24).max(1);
    let (x, y) = (at % width.max(1), at / width.max(1));
    let near = |middle: usize| middle.saturating_sub(reach)..=(middle + reach).min(width - 1);
    let rows = near(y).flat_map(|row| near(x).map(move |column| row * width + column));
    rows.filter_map(|near| alpha.get(near).copied())
        .max()
        .unwrap_or(0)
}

#[cfg(all(test, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_there_in_each_size_and_none_is_another() {
        let all = [
            Picture::SignedOut,
            Picture::SignedIn,
            Picture::Renewing,
            Picture::NeedsYou,
            Picture::CannotReach,
        ];
        let sizes = |picture| drawn(picture).iter().map(|(size, _)| *size);
        for (at, &picture) in all.iter().enumerate() {
            assert!(sizes(picture).eq(sizes(Picture::SignedIn)));
            for &(size, alpha) in drawn(picture) {
                let pixels = usize::try_from(size * size).unwrap();
                assert_eq!(alpha.len(), pixels);
                let strong = alpha.iter().filter(|alpha| **alpha > 127).count();
                assert!(strong * 8 > pixels, "{picture:?}");
            }
            for &other in &all[..at] {
                assert_ne!(drawn(picture)[0].1, drawn(other)[0].1);
            }
        }
    }

    #[test]
    fn it_is_seen_on_a_ground_of_its_own_colour_too() {
        let on = |(alpha, shade): (u8, u8), ground: i32| {
            let alpha = i32::from(alpha);
            (i32::from(shade) * alpha + ground * (255 - alpha)) / 255
        };
        for (ink, ground) in [(Ink::Light, 255), (Ink::Dark, 24)] {
            for &(size, alpha) in drawn(Picture::SignedIn) {
                let pixels = inked(alpha, usize::try_from(size).unwrap(), ink);
                let differs = pixels.filter(|pixel| (on(*pixel, ground) - ground).abs() > 60);
                assert!(differs.count() > 10, "{ink:?} {size}");
            }
        }
    }
}
