//! The test of that test: small crates with a circle, however it is written, and some that only seem to have one.

use anyhow::{Result, ensure};

use super::{against, found};

/// A crate, and what is printed of its circles.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    printed: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "two modules that use each other",
        files: &[
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "use std::fmt;\n\nuse crate::b::B;"),
            ("b.rs", "//! It uses the other.\nuse crate::a::A;"),
        ],
        printed: &["a circle: it: a b\n  a -> b: a.rs:3\n  b -> a: b.rs:2"],
    },
    Case {
        name: "no circle",
        files: &[
            ("lib.rs", "mod a; mod b; mod c; pub use c::C;"),
            ("a.rs", "use crate::{b::B, c::C};"),
            ("b.rs", "use crate::c; fn f() -> c::C { crate::c::C }"),
            (
                "c.rs",
                "use std::fmt; pub struct C; fn f() { self::g() } fn g() {}",
            ),
        ],
        printed: &[],
    },
    Case {
        name: "by all that a parent brings in",
        files: &[
            ("lib.rs", "mod room;"),
            ("room.rs", "mod one; mod two; use self::two::Two;"),
            ("room/one.rs", "mod inner { use super::super::*; }"),
            ("room/two.rs", "use super::one::*;"),
        ],
        printed: &[
            "a circle: it::room: one two\n  one -> two: room/one.rs:1\n  two -> one: room/two.rs:1",
        ],
    },
    Case {
        name: "round three, by the branches of a use",
        files: &[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::{\n    b::{self, B as Other},\n};"),
            ("b.rs", "pub(in crate::a) use crate::c::C as D;"),
            ("c.rs", "use crate::{\n    unknown,\n    a,\n};"),
        ],
        printed: &["a circle: it: a b c\n  a -> b: a.rs:2\n  b -> c: b.rs:1\n  c -> a: c.rs:3"],
    },
    Case {
        name: "a path in an expression, a macro's call and a type",
        files: &[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "fn f() { if true { crate::b::g() } }"),
            (
                "b.rs",
                "fn g() {\n    assert!(matches!(1, crate::c::ONE), \"{}\", 2)\n}",
            ),
            ("c.rs", "struct C(Vec<crate::d::D<u8>>);"),
            ("d.rs", "macro_rules! m { () => { $crate::a::f() } }"),
        ],
        printed: &[
            "a circle: it: a b c d\n  a -> b: a.rs:1\n  b -> c: b.rs:2\n  c -> d: c.rs:1\n  d -> a: d.rs:1",
        ],
    },
    Case {
        name: "by super, from a file and from a module inside it",
        files: &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use super::b;"),
            ("b.rs", "mod inner { fn f() { super::super::a::f() } }"),
        ],
        printed: &["a circle: it: a b\n  a -> b: a.rs:1\n  b -> a: b.rs:1"],
    },
    Case {
        name: "inside a room, by what their parent brings in",
        files: &[
            ("lib.rs", "mod room;"),
            (
                "room/mod.rs",
                "mod one; mod two; pub use two::Two; use one as first;",
            ),
            ("room/one.rs", "use super::Two;"),
            ("room/two.rs", "use super::first::One;"),
        ],
        printed: &[
            "a circle: it::room: one two\n  one -> two: room/one.rs:1\n  two -> one: room/two.rs:1",
        ],
    },
    Case {
        name: "by what the root brings in",
        files: &[
            ("lib.rs", "mod a; mod b; pub use crate::b::B;"),
            ("a.rs", "use crate::B;"),
            ("b.rs", "use crate::a::A;"),
        ],
        printed: &["a circle: it: a b\n  a -> b: a.rs:1\n  b -> a: b.rs:1"],
    },
    Case {
        name: "a room's parts use its own types, and it puts them together",
        files: &[
            ("lib.rs", "mod room; mod other; pub struct Root;"),
            (
                "room.rs",
                "mod one; mod two; use one::One; use self::two::Two; pub struct Room;",
            ),
            (
                "room/one.rs",
                "use super::Room; use crate::room::two; use crate::other::O;",
            ),
            ("room/two.rs", "use super::super::Root; use super::Room;"),
            ("other.rs", "use crate::Root;"),
        ],
        printed: &[],
    },
    Case {
        name: "in comments, strings and documentation",
        files: &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;"),
            (
                "b.rs",
                "// use crate::a::A;\n/* crate::a /* nested */ crate::a::A */\n/// See [`crate::a::A`].\nconst S: \
                 &str = \"use crate::a::A;\";\nconst R: &str = r#\"\"; use crate::a::A; \"\"#;\nconst Q: char = '\"';",
            ),
        ],
        printed: &[],
    },
    Case {
        name: "in tests",
        files: &[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod absent;"),
            ("a.rs", "use crate::b::B;"),
            (
                "b.rs",
                "#[cfg(test)] use crate::a::A; #[cfg(all(test, unix))] #[allow(unused)] const A: [u8; 2] = \
                 crate::a::A { a: 1 }; #[cfg(test)] pub(crate) fn f<T, U>(_: crate::a::A) -> T { crate::a::f() } \
                 struct B { #[cfg(test)] a: crate::a::A, b: u8 } #[cfg(any(test))] mod tests { use super::*; use \
                 crate::a::A; }",
            ),
        ],
        printed: &[],
    },
    Case {
        name: "beside tests, and in what is built elsewhere or not for tests",
        files: &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "#[cfg(windows)] use crate::b::B;"),
            (
                "b.rs",
                "#[cfg(test)] mod tests { use super::*; }\n#[cfg(test)] const A: u8 = 1;\n#[cfg(not(test))] use \
                 crate::a::A;",
            ),
        ],
        printed: &["a circle: it: a b\n  a -> b: a.rs:1\n  b -> a: b.rs:3"],
    },
    Case {
        name: "two circles, and the shortest way round each",
        files: &[
            ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
            ("a.rs", "use crate::b::B; use crate::c::C; use crate::d::D;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::a::A;"),
            ("d.rs", "use crate::e::E;"),
            ("e.rs", "use crate::d::D;"),
        ],
        printed: &[
            "a circle: it: a b c\n  a -> c: a.rs:1\n  c -> a: c.rs:1",
            "a circle: it: d e\n  d -> e: d.rs:1\n  e -> d: e.rs:1",
        ],
    },
];

/// What is listed as known, and what is printed of the circle of `LISTED_FILES` beside it.
const LISTED: &[(&[&str], &[&str])] = &[
    (&["it: a b c"], &[]),
    (
        &["it: a b c d"],
        &["smaller now: it: a b c", "no longer there: it: a b c d"],
    ),
    (
        &["it: a b", "it: x y"],
        &[
            "a circle: it: a b c\n  c -> a: c.rs:1\n  a -> c: a.rs:1",
            "no longer there: it: a b",
            "no longer there: it: x y",
        ],
    ),
    (
        &["it::a: a b c"],
        &[
            "a circle: it: a b c\n  a -> c: a.rs:1\n  c -> a: c.rs:1",
            "no longer there: it::a: a b c",
        ],
    ),
];

const LISTED_FILES: &[(&str, &str)] = &[
    ("lib.rs", "mod a; mod b; mod c;"),
    ("a.rs", "use crate::b::B; use crate::c::C;"),
    ("b.rs", "use crate::c::C;"),
    ("c.rs", "use crate::a::A;"),
];

pub(crate) fn hold() -> Result<()> {
    for case in CASES {
        let printed = printed(case.files, &[]);
        ensure!(printed == case.printed, "{}: {printed:#?}", case.name);
    }
    for (still, expected) in LISTED {
        let printed = printed(LISTED_FILES, still);
        ensure!(printed == *expected, "{still:?}: {printed:#?}");
    }
    Ok(())
}

fn printed(files: &[(&str, &str)], still: &[&str]) -> Vec<String> {
    let source = |wanted: &str| {
        let file = files.iter().find(|(name, _)| *name == wanted);
        file.map(|(_, text)| (*text).to_owned())
    };
    match found("it", &source) {
        Ok(circles) => against(still, &circles),
        Err(error) => vec![error.to_string()],
    }
}
