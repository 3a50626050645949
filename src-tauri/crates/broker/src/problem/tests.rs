use std::collections::BTreeMap;

use super::*;

const TEXTS: [&str; 2] = [
    include_str!("../texts/en/problem.json"),
    include_str!("../texts/ko/problem.json"),
];

/// The names of the parameters that a text has places for.
fn places(text: &str) -> Vec<&str> {
    let slots = text.split('{').skip(1);
    let slots = slots.filter_map(|slot| slot.split('}').next());
    slots.filter_map(|slot| slot.split('|').next()).collect()
}

#[test]
fn every_code_has_a_message_and_a_hint_in_each_language() {
    for code in Code::ALL {
        for language in [Language::En, Language::Ko] {
            let problem = Problem::of_code(*code);
            assert_ne!(
                problem.message(language),
                format!("{}.message", code.name())
            );
            assert_ne!(problem.hint(language), format!("{}.hint", code.name()));
        }
    }
}

#[test]
fn every_text_is_one_of_a_code_or_stands_for_what_it_is_about() {
    for texts in TEXTS {
        let texts: BTreeMap<String, String> = serde_json::from_str(texts).unwrap();
        for key in texts.keys() {
            let (name, part) = key.rsplit_once('.').unwrap();
            let is_of_code = Code::ALL.iter().any(|code| code.name() == name);
            let is_known = is_of_code && ["message", "hint"].contains(&part);
            assert!(is_known || name == "about", "{key}");
        }
    }
}

#[test]
fn a_text_names_fields_of_its_code_and_what_it_is_about_alone() {
    for texts in TEXTS {
        let texts: BTreeMap<String, String> = serde_json::from_str(texts).unwrap();
        for code in Code::ALL {
            let fields = Problem::of_code(*code).fields();
            let (known, unknown) = (About::default().known(), About::unknown(Language::En));
            let has = |name: &str| {
                let mut known = fields.iter().chain(&known).chain(&unknown);
                known.any(|(known, _)| *known == name)
            };
            let of = |part| texts[&format!("{}.{part}", code.name())].as_str();
            let named = [places(of("message")), places(of("hint"))].concat();
            for name in &named {
                assert!(has(name), "{}: {{{name}}}", code.name());
            }
            for (field, _) in &fields {
                assert!(named.contains(field), "{}: no {{{field}}}", code.name());
            }
        }
    }
}

#[test]
fn what_a_problem_is_about_overrules_what_its_maker_knew() {
    let problem = Problem::NotTrustedUnseen {
        account: "old".into(),
    };
    let about = About::account("new", "sso.example.com".into());
    assert_eq!(problem.parameter("account").as_deref(), Some("old"));
    let refusal = problem.of(about.clone());
    assert_eq!(refusal.parameter("account").as_deref(), Some("new"));
    let slow = Problem::TakesTooLong;
    for (refusal, expected) in [
        (
            slow.clone().of(about),
            "sso.example.com has not answered in time.",
        ),
        (slow.into(), "the provider has not answered in time."),
    ] {
        assert_eq!(refusal.message(Language::En), expected);
    }
}

#[test]
fn a_command_names_its_account_as_a_shell_takes_it() {
    for (name, expected) in [
        ("work", "work"),
        ("sso.example.com:8443", "sso.example.com:8443"),
        ("my work", "\"my work\""),
        ("회사 계정", "\"회사 계정\""),
        ("a $(reboot)", "'a $(reboot)'"),
        ("it's", r"'it'\''s'"),
        ("-x", "-- -x"),
    ] {
        let about = About::account(name, "sso.example.com".into());
        let refusal = Problem::SignedOut.of(about);
        let expected = format!("Run 'kubectl fob login {expected}' to sign in.");
        assert_eq!(refusal.hint(Language::En), expected);
    }
    let unknown = Problem::SignedOut.hint(Language::En);
    assert_eq!(unknown, "Run 'kubectl fob login' to sign in.");
}

/// Each command that takes an account is made with its name.
#[test]
fn no_text_has_a_command_without_its_account() {
    for texts in TEXTS {
        for verb in ["login", "logout"] {
            assert!(!texts.contains(&format!("kubectl fob {verb}")), "{verb}");
        }
    }
}

#[test]
fn what_nobody_answered_is_what_was_asked() {
    for (asked, expected) in [
        (Code::NotTrusted, Code::QuestionUnanswered),
        (Code::NotTrustedUnseen, Code::QuestionUnansweredUnseen),
        (Code::NotTrustedContainer, Code::QuestionUnansweredUnseen),
        (Code::SettingsNotAllowed, Code::SettingsUnanswered),
    ] {
        assert_eq!(Problem::of_code(asked).unanswered().code(), expected);
    }
}
