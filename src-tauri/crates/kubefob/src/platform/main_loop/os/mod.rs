//! What the two systems do each in its own way.
//!
//! | name | is |
//! |---|---|
//! | `LEFT_OPENS_MENU`, `OPENS_AT` | which click opens the menu, and which half of it |
//! | `prepare` | what comes before the loop runs |
//! | `Paint`, `paint`, `set_picture`, `tooltip` | what the icon is on, and looks like there |
//! | `is_away` | whether the screen is locked, or another login has it |
//! | `Watch`, `watch` | what tells the loop that this may have changed |
//! | `may_tell`, `name`, `take_back` | what notifications want beyond what is common |

#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "macos")]
pub(super) use macos::*;
#[cfg(windows)]
pub(super) use windows::*;
