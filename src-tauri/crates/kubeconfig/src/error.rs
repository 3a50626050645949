//! Why a kubeconfig can't be read.

/// Why a value can't be changed by itself. The file is left alone then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// kubectl does not load it either.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// UTF-16: read, but not written.
    #[error("it is written in UTF-16")]
    Utf16,
    /// The key stands there more than once.
    #[error("line {line}: current-context stands there twice")]
    Twice {
        /// Where it stands again.
        line: usize,
    },
    /// The value has an anchor, a tag or a block of its own, or is an alias: it may be used elsewhere.
    #[error("line {line}: current-context is written in a way that can't be changed by itself")]
    Shared {
        /// Where.
        line: usize,
    },
    /// No place where the change leaves everything else as it is.
    #[error("current-context can't be changed without changing something else")]
    Unsafe,
}

/// Why a file is no kubeconfig. Lines count from one. Names are quoted where they help; nothing else of the file is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// More bytes than any kubeconfig has.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// More nodes than any kubeconfig has.
    #[error("line {line}: more than {limit} YAML nodes")]
    TooManyNodes {
        /// Where the limit was passed.
        line: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Collections nest deeper than in any kubeconfig.
    #[error("line {line}: nested more than {limit} deep")]
    TooDeep {
        /// Where the limit was passed.
        line: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Aliases would make a small file huge.
    #[error("YAML aliases make the file too large")]
    TooManyAliases,
    /// Neither UTF-8 nor marked as UTF-16.
    #[error("not text")]
    NotText,
    /// A character that YAML forbids.
    #[error("line {line}: a control character")]
    ControlCharacter {
        /// Where.
        line: usize,
    },
    /// A line break of YAML 1.1 that is none in YAML 1.2: kubectl reads another file than everybody else does.
    #[error("line {line}: a character that only kubectl takes for the end of a line")]
    LineBreak {
        /// Where.
        line: usize,
    },
    /// An anchor, an alias, a tag or a sign in a form that ends elsewhere for kubectl, or for another program.
    #[error("line {line}: a form of YAML that not every program reads alike")]
    ReadOtherwise {
        /// Where.
        line: usize,
    },
    /// Not YAML.
    #[error("line {line}, column {column}: {problem}")]
    Syntax {
        /// Where.
        line: usize,
        /// Where in the line, from one.
        column: usize,
        /// The parser's words.
        problem: String,
    },
    /// A `%YAML` directive of another version than 1.1.
    #[error("line {line}: a YAML version that kubectl does not read")]
    Version {
        /// Where.
        line: usize,
    },
    /// An explicit tag that its scalar contradicts.
    #[error("line {line}: a value that its tag contradicts")]
    Tag {
        /// Where.
        line: usize,
    },
    /// An alias inside of what it stands for.
    #[error("line {line}: an alias that contains itself")]
    SelfReference {
        /// Where.
        line: usize,
    },
    /// A key that is empty, null or a collection.
    #[error("line {line}: a key that is no text")]
    Key {
        /// Where.
        line: usize,
    },
    /// `<<` with something else than a mapping or a list of mappings.
    #[error("line {line}: `<<` takes a mapping")]
    Merge {
        /// Where.
        line: usize,
    },
    /// An infinite number, or none.
    #[error("line {line}: a number that is none")]
    NotJson {
        /// Where.
        line: usize,
    },
    /// Something else stands where a text, a list or the like is wanted.
    #[error(
        "line {line}: {field} must be {wanted}, and is {found}{}",
        quote_it(wanted, found)
    )]
    WrongType {
        /// Where.
        line: usize,
        /// The field's name.
        field: &'static str,
        /// What is wanted.
        wanted: Type,
        /// What is there.
        found: Type,
    },
    /// Data that is not base64.
    #[error("line {line}: {field} is not base64")]
    Base64 {
        /// Where.
        line: usize,
        /// The field's name.
        field: &'static str,
    },
    /// Two entries of one list have the same name.
    #[error("line {line}: {list} has {name:?} twice")]
    Duplicate {
        /// Where the second stands.
        line: usize,
        /// Which list.
        list: &'static str,
        /// The name.
        name: String,
    },
    /// A `kind` other than `Config`.
    #[error("kind is not Config")]
    Kind,
    /// An `apiVersion` other than `v1`.
    #[error("apiVersion is not v1")]
    ApiVersion,
}

/// What a YAML node can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A text.
    Text,
    /// True or false; in YAML 1.1 also an unquoted `yes`, `no`, `on`, `off`, `y` and `n`.
    Bool,
    /// A number; in YAML 1.1 also an unquoted `0777`, `1_000` and `1e3`.
    Number,
    /// A list.
    List,
    /// A mapping.
    Map,
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text => "a text",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Map => "a mapping",
        })
    }
}

fn quote_it(wanted: &Type, found: &Type) -> &'static str {
    match (wanted, found) {
        (Type::Text, Type::Bool | Type::Number) => " to YAML: put it in quotes",
        (Type::Text | Type::Bool | Type::Number | Type::List | Type::Map, _) => "",
    }
}
