//! Texts are data: one folder per language, a key for each text, parameters in braces.
//!
//! `{server}` is replaced by the parameter of that name; `{server|을/를}` by the parameter and the
//! particle that its last syllable wants (with, without a final consonant). Parameters come from
//! kubeconfigs and providers: they are cleaned here, so that no text carries a control character.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A language that Kubefob speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

/// The parameters of a text, by name.
pub type Parameters = Vec<(&'static str, String)>;

type Catalogue = BTreeMap<String, String>;

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| {
    catalogue(&[
        include_str!("texts/en/problem.json"),
        include_str!("texts/en/page.json"),
        include_str!("texts/en/terminal.json"),
        include_str!("texts/en/tray.json"),
    ])
});
static KOREAN: LazyLock<Catalogue> = LazyLock::new(|| {
    catalogue(&[
        include_str!("texts/ko/problem.json"),
        include_str!("texts/ko/page.json"),
        include_str!("texts/ko/terminal.json"),
        include_str!("texts/ko/tray.json"),
    ])
});

impl Language {
    /// From the value of `LC_ALL`, `LC_MESSAGES` or `LANG`, or an `Accept-Language` header.
    #[must_use]
    pub fn of(locale: &str) -> Self {
        if locale.trim_start().to_ascii_lowercase().starts_with("ko") {
            Self::Ko
        } else {
            Self::En
        }
    }

    /// As HTML's `lang` attribute wants it.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    fn catalogue(self) -> &'static Catalogue {
        match self {
            Self::En => &ENGLISH,
            Self::Ko => &KOREAN,
        }
    }
}

/// The text of a key, its parameters filled in. A key that is missing shows itself: the tests
/// look for that.
#[must_use]
pub fn text(language: Language, key: &str, parameters: &[(&'static str, String)]) -> String {
    let template = language.catalogue().get(key).map_or(key, String::as_str);
    fill(template, parameters)
}

/// Control characters, ESC and ends of lines among them, the marks that turn the direction of writing, and what nobody
/// sees, replaced by `�`: what comes from a kubeconfig or a provider is inert wherever it is shown, and no two names
/// look the same. The joiners that some scripts are written with stay where such a letter is before them.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut before = None;
    let inert = text.chars().map(|character| {
        let joins = before
            .replace(character)
            .is_some_and(|it: char| !it.is_ascii());
        match character {
            '\u{200c}' | '\u{200d}' if joins => character,
            other if turns(other) || is_unseen(other) || other.is_control() => '\u{fffd}',
            other => other,
        }
    });
    inert.collect()
}

/// It turns the direction of writing, or ends the line.
fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{061c}'
    )
}

/// Nothing is drawn for it: no width, a soft hyphen, a filler, a pattern without dots, a note between lines, a tag.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{00ad}'
            | '\u{034f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{2064}'
            | '\u{206a}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A text of so many characters at most, for where there is a line and no more: what is too long loses its middle.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(1);
    let (front, back) = (kept.div_ceil(2), kept / 2);
    let front = text.chars().take(front);
    front
        .chain(['…'])
        .chain(text.chars().skip(length - back))
        .collect()
}

fn fill(template: &str, parameters: &[(&'static str, String)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((slot, after)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        let (name, particles) = slot
            .split_once('|')
            .map_or((slot, None), |(n, p)| (n, Some(p)));
        let value = parameters
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(|| slot.to_owned(), |(_, value)| clean(value));
        filled.push_str(&value);
        if let Some((with, without)) = particles.and_then(|pair| pair.split_once('/')) {
            filled.push_str(if ends_in_consonant(&value) {
                with
            } else {
                without
            });
        }
        // Others' words come with their own full stop or without: there is one.
        rest = match after.strip_prefix('.') {
            Some(further)
                if particles.is_none()
                    && value.ends_with('.')
                    && further.chars().next().is_none_or(char::is_whitespace) =>
            {
                further
            }
            Some(_) | None => after,
        };
    }
    filled.push_str(rest);
    filled
}

/// Whether the last syllable has a final consonant when it is read in Korean.
fn ends_in_consonant(word: &str) -> bool {
    let Some(last) = word
        .chars()
        .rev()
        .find(|character| character.is_alphanumeric())
    else {
        return false;
    };
    match last {
        '가'..='힣' => (u32::from(last) - u32::from('가')) % 28 != 0,
        // 영 일 삼 육 칠 팔
        '0' | '1' | '3' | '6' | '7' | '8' => true,
        // 엘 엠 엔 알
        'l' | 'm' | 'n' | 'r' | 'L' | 'M' | 'N' | 'R' => true,
        _ => false,
    }
}

fn catalogue(files: &[&str]) -> Catalogue {
    files
        .iter()
        .filter_map(|file| serde_json::from_str::<Catalogue>(file).ok())
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_the_languages_have_the_same_texts() {
        let names = |slots: &str| {
            let mut names: Vec<String> = slots
                .split('{')
                .skip(1)
                .filter_map(|slot| slot.split('}').next())
                .map(|slot| slot.split('|').next().unwrap().to_owned())
                .collect();
            names.sort();
            names.dedup();
            names
        };
        for (english, korean) in [
            (
                include_str!("texts/en/problem.json"),
                include_str!("texts/ko/problem.json"),
            ),
            (
                include_str!("texts/en/page.json"),
                include_str!("texts/ko/page.json"),
            ),
            (
                include_str!("texts/en/terminal.json"),
                include_str!("texts/ko/terminal.json"),
            ),
            (
                include_str!("texts/en/tray.json"),
                include_str!("texts/ko/tray.json"),
            ),
            // Read by the window alone.
            (
                include_str!("texts/en/window.json"),
                include_str!("texts/ko/window.json"),
            ),
        ] {
            let english: Catalogue = serde_json::from_str(english).unwrap();
            let korean: Catalogue = serde_json::from_str(korean).unwrap();
            assert_eq!(
                english.keys().collect::<Vec<_>>(),
                korean.keys().collect::<Vec<_>>(),
                "both languages have the same keys"
            );
            for (key, text) in &english {
                assert_eq!(names(text), names(&korean[key]), "{key}");
            }
        }
    }

    #[test]
    fn what_is_too_long_keeps_its_ends() {
        for (text, most, short) in [
            ("", 4, ""),
            ("abcd", 4, "abcd"),
            ("abcde", 4, "ab…e"),
            ("컨텍스트이름", 3, "컨…름"),
        ] {
            assert_eq!(shortened(text, most), short);
        }
    }

    #[derive(Deserialize)]
    struct Case {
        template: String,
        parameters: BTreeMap<String, String>,
        filled: String,
    }

    /// The window fills texts in too, and is tested against the same table (`ui/src/fill.test.ts`).
    #[test]
    fn parameters_are_filled_in_cleaned_and_followed_by_their_particle() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("texts/cases.json")).unwrap();
        for case in cases {
            let parameters: Vec<(&'static str, String)> = case
                .parameters
                .into_iter()
                .map(|(name, value)| (&*name.leak(), value))
                .collect();
            assert_eq!(fill(&case.template, &parameters), case.filled);
        }
    }
}
