//! YAML text to one file's configuration, with the errors that kubectl has (client-go `tools/clientcmd/loader.go`
//! `Load`, `api/v1/{types,conversion,defaults}.go`; apimachinery `runtime/serializer/json/{json,meta}.go`).
//!
//! Every field that kubectl knows is looked at, also those that are of no use here: a wrong type in one of them makes
//! kubectl refuse the file.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base64;
use crate::config::{Cluster, Config, Context, EnvVar, Exec, User};
use crate::error::{LoadError, Type};
use crate::scalar::Scalar;
use crate::tree::{self, Id, Tree, Value};
use crate::unread::folded;

/// How many bytes of text may come out of a file: aliases can repeat one long text often.
const MAX_COPIED: usize = 8 * tree::MAX_BYTES;

/// Loads one file. An empty one is an empty configuration, and only the first YAML document counts.
pub fn load(file: &Path, bytes: &[u8]) -> Result<Config, LoadError> {
    let tree = tree::parse(bytes)?;
    let reader = Reader {
        tree: &tree,
        file: Arc::from(file),
        copied: Cell::new(0),
        disputed: Cell::new(tree.has_more()),
    };
    let mut config = Config {
        file: Arc::clone(&reader.file),
        current_context: None,
        clusters: BTreeMap::new(),
        users: BTreeMap::new(),
        contexts: BTreeMap::new(),
        disputed: tree.has_more(),
    };
    let Some(root) = tree.root() else {
        return Ok(config);
    };
    let top = reader.map(root, "the file")?;
    reader.check_kind(&top)?;
    if let Some(preferences) = top.map("preferences")? {
        preferences.flag("colors")?;
        preferences.extensions()?;
    }
    config.clusters = top.named("clusters", "cluster", Fields::cluster)?;
    config.users = top.named("users", "user", Fields::user)?;
    config.contexts = top.named("contexts", "context", Fields::context)?;
    config.current_context = top.optional_text("current-context")?;
    top.extensions()?;
    config.disputed = reader.disputed.get();
    Ok(config)
}

struct Reader<'tree> {
    tree: &'tree Tree,
    file: Arc<Path>,
    copied: Cell<usize>,
    /// See [`Config::disputed`].
    disputed: Cell<bool>,
}

/// A mapping's fields.
struct Fields<'read> {
    reader: &'read Reader<'read>,
    line: usize,
    ids: HashMap<&'read str, Id>,
    /// How many keys there are that differ in case alone.
    cases: HashMap<String, usize>,
}

impl<'read> Reader<'read> {
    /// A mapping; null is one without fields, as a JSON null leaves a Go struct as it is.
    fn map(&'read self, id: Id, field: &'static str) -> Result<Fields<'read>, LoadError> {
        let ids = match self.tree.value(id) {
            Value::Map(entries) => {
                let fields = self.tree.fields(entries);
                self.disputed.set(self.disputed.get() || fields.disputed);
                fields.ids
            }
            Value::Scalar {
                value: Scalar::Null,
                ..
            } => HashMap::new(),
            Value::Scalar { .. } | Value::List(_) => return Err(self.wrong(id, field, Type::Map)),
        };
        let mut cases = HashMap::new();
        for name in ids.keys() {
            *cases.entry(folded(name)).or_default() += 1;
        }
        Ok(Fields {
            reader: self,
            line: self.tree.line(id),
            ids,
            cases,
        })
    }

    fn list(&self, id: Id, field: &'static str) -> Result<Vec<Id>, LoadError> {
        match self.tree.value(id) {
            Value::List(items) => Ok(items.iter().map(|item| item.id).collect()),
            Value::Scalar {
                value: Scalar::Null,
                ..
            } => Ok(Vec::new()),
            Value::Scalar { .. } | Value::Map(_) => Err(self.wrong(id, field, Type::List)),
        }
    }

    fn str(&self, id: Id, field: &'static str) -> Result<&'read str, LoadError> {
        let text = match self.tree.value(id) {
            Value::Scalar {
                value: Scalar::Text(text),
                ..
            } => text.as_str(),
            Value::Scalar {
                value: Scalar::Null,
                ..
            } => "",
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
                return Err(self.wrong(id, field, Type::Text));
            }
        };
        self.copied.set(self.copied.get() + text.len());
        if self.copied.get() > MAX_COPIED {
            Err(LoadError::TooManyAliases)
        } else {
            Ok(text)
        }
    }

    fn texts(&self, id: Id, field: &'static str) -> Result<Vec<String>, LoadError> {
        self.list(id, field)?
            .into_iter()
            .map(|item| self.str(item, field).map(str::to_owned))
            .collect()
    }

    fn bool(&self, id: Id, field: &'static str) -> Result<bool, LoadError> {
        match self.tree.value(id) {
            Value::Scalar {
                value: Scalar::Bool(value),
                ..
            } => Ok(*value),
            Value::Scalar {
                value: Scalar::Null,
                ..
            } => Ok(false),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
                Err(self.wrong(id, field, Type::Bool))
            }
        }
    }

    /// Bytes: base64, or a list of small numbers, which Go's JSON takes as well.
    fn bytes(&self, id: Id, field: &'static str) -> Result<Vec<u8>, LoadError> {
        if let Value::List(items) = self.tree.value(id) {
            return items.iter().map(|item| self.byte(item.id, field)).collect();
        }
        base64::decode(self.str(id, field)?).ok_or(LoadError::Base64 {
            line: self.tree.line(id),
            field,
        })
    }

    fn byte(&self, id: Id, field: &'static str) -> Result<u8, LoadError> {
        match self.tree.value(id) {
            Value::Scalar {
                value: Scalar::Number(Some(byte)),
                ..
            } => Ok(*byte),
            Value::Scalar {
                value: Scalar::Null,
                ..
            } => Ok(0),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
                Err(self.wrong(id, field, Type::Number))
            }
        }
    }

    fn wrong(&self, id: Id, field: &'static str, wanted: Type) -> LoadError {
        let found = match self.tree.value(id) {
            Value::Scalar {
                value: Scalar::Bool(_),
                ..
            } => Type::Bool,
            Value::Scalar {
                value: Scalar::Number(_) | Scalar::NotJson,
                ..
            } => Type::Number,
            Value::Scalar {
                value: Scalar::Text(_) | Scalar::Null,
                ..
            } => Type::Text,
            Value::List(_) => Type::List,
            Value::Map(_) => Type::Map,
        };
        LoadError::WrongType {
            line: self.tree.line(id),
            field,
            wanted,
            found,
        }
    }

    /// Missing ones are fine. Unlike every other field's, their names' case does not count (`meta.go` reads with Go's
    /// own JSON), but the exact spelling comes last in the sorted JSON and so wins.
    fn check_kind(&self, top: &Fields<'read>) -> Result<(), LoadError> {
        let mut names: Vec<_> = top.ids.iter().collect();
        names.sort_unstable();
        let (mut kind, mut api_version) = ("", "");
        for (name, id) in names {
            let null = matches!(
                self.tree.value(*id),
                Value::Scalar {
                    value: Scalar::Null,
                    ..
                }
            );
            if null {
                continue;
            } else if name.eq_ignore_ascii_case("kind") {
                kind = self.str(*id, "kind")?;
            } else if name.eq_ignore_ascii_case("apiVersion") {
                api_version = self.str(*id, "apiVersion")?;
            }
        }
        if !matches!(kind, "" | "Config") {
            return Err(LoadError::Kind);
        }
        // `schema.ParseGroupVersion`: "/" is no version at all, "/v1" the nameless group's.
        if !matches!(api_version, "" | "/" | "v1" | "/v1") {
            return Err(LoadError::ApiVersion);
        }
        Ok(())
    }
}

impl<'read> Fields<'read> {
    /// What stands under this key, exactly. Under the same one in another case, some programs find it too.
    fn id(&self, field: &str) -> Option<Id> {
        let id = self.ids.get(field).copied();
        let found = self.cases.get(&folded(field)).copied().unwrap_or_default();
        if found > usize::from(id.is_some()) {
            self.reader.disputed.set(true);
        }
        id
    }

    fn get<T>(
        &self,
        field: &'static str,
        read: impl FnOnce(&'read Reader<'read>, Id, &'static str) -> Result<T, LoadError>,
    ) -> Result<Option<T>, LoadError> {
        self.id(field)
            .map(|id| read(self.reader, id, field))
            .transpose()
    }

    /// A mapping; null is as good as absent.
    fn map(&self, field: &'static str) -> Result<Option<Self>, LoadError> {
        let Some(id) = self.id(field) else {
            return Ok(None);
        };
        match self.reader.tree.value(id) {
            Value::Scalar {
                value: Scalar::Null,
                ..
            } => Ok(None),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
                self.reader.map(id, field).map(Some)
            }
        }
    }

    fn text(&self, field: &'static str) -> Result<String, LoadError> {
        Ok(self.get(field, Reader::str)?.unwrap_or_default().to_owned())
    }

    fn optional_text(&self, field: &'static str) -> Result<Option<String>, LoadError> {
        Ok(self
            .get(field, Reader::str)?
            .filter(|text| !text.is_empty())
            .map(str::to_owned))
    }

    fn path(&self, field: &'static str) -> Result<Option<PathBuf>, LoadError> {
        Ok(self.optional_text(field)?.map(PathBuf::from))
    }

    fn present(&self, field: &'static str) -> Result<bool, LoadError> {
        Ok(self
            .get(field, Reader::str)?
            .is_some_and(|text| !text.is_empty()))
    }

    fn flag(&self, field: &'static str) -> Result<bool, LoadError> {
        Ok(self.get(field, Reader::bool)?.unwrap_or_default())
    }

    fn data(&self, field: &'static str) -> Result<Option<Vec<u8>>, LoadError> {
        Ok(self
            .get(field, Reader::bytes)?
            .filter(|bytes| !bytes.is_empty()))
    }

    fn maps(&self, field: &'static str) -> Result<Vec<Self>, LoadError> {
        let items = self.get(field, Reader::list)?.unwrap_or_default();
        items
            .into_iter()
            .map(|item| self.reader.map(item, field))
            .collect()
    }

    /// A list of `{name, <field>}`, whose names must differ (`api/v1/conversion.go`).
    fn named<T>(
        &self,
        list: &'static str,
        field: &'static str,
        read: impl Fn(&Self) -> Result<T, LoadError>,
    ) -> Result<BTreeMap<String, T>, LoadError> {
        let mut all = BTreeMap::new();
        for item in self.maps(list)? {
            let name = item.text("name")?;
            let entry = match item.map(field)? {
                Some(entry) => read(&entry)?,
                None => read(&Fields {
                    reader: self.reader,
                    line: item.line,
                    ids: HashMap::new(),
                    cases: HashMap::new(),
                })?,
            };
            if all.contains_key(&name) {
                return Err(LoadError::Duplicate {
                    line: item.line,
                    list,
                    name,
                });
            }
            all.insert(name, entry);
        }
        Ok(all)
    }

    /// Extensions may be anything, but their names must differ too; one without content is as good as none before the next.
    fn extensions(&self) -> Result<(), LoadError> {
        let mut filled = BTreeSet::new();
        for item in self.maps("extensions")? {
            let name = item.text("name")?;
            if filled.contains(&name) {
                return Err(LoadError::Duplicate {
                    line: item.line,
                    list: "extensions",
                    name,
                });
            }
            let content = item
                .ids
                .get("extension")
                .map(|id| self.reader.tree.value(*id));
            if !matches!(
                content,
                None | Some(Value::Scalar {
                    value: Scalar::Null,
                    ..
                })
            ) {
                filled.insert(name);
            }
        }
        Ok(())
    }

    fn cluster(&self) -> Result<Cluster, LoadError> {
        self.extensions()?;
        Ok(Cluster {
            file: Arc::clone(&self.reader.file),
            server: self.text("server")?,
            tls_server_name: self.optional_text("tls-server-name")?,
            insecure_skip_tls_verify: self.flag("insecure-skip-tls-verify")?,
            certificate_authority: self.path("certificate-authority")?,
            certificate_authority_data: self.data("certificate-authority-data")?,
            proxy_url: self.optional_text("proxy-url")?,
            disable_compression: self.flag("disable-compression")?,
        })
    }

    fn user(&self) -> Result<User, LoadError> {
        self.extensions()?;
        let (username, password) = (self.present("username")?, self.present("password")?);
        Ok(User {
            file: Arc::clone(&self.reader.file),
            exec: self.map("exec")?.map(|exec| exec.exec()).transpose()?,
            auth_provider: self
                .map("auth-provider")?
                .map(|provider| provider.auth_provider())
                .transpose()?,
            has_token: self.present("token")?,
            token_file: self.path("tokenFile")?,
            has_basic: username || password,
            client_certificate: self.path("client-certificate")?,
            has_client_certificate_data: self.data("client-certificate-data")?.is_some(),
            client_key: self.path("client-key")?,
            has_client_key_data: self.data("client-key-data")?.is_some(),
            impersonates: self.impersonates()?,
        })
    }

    fn exec(&self) -> Result<Exec, LoadError> {
        let api_version = self.text("apiVersion")?;
        let mut interactive_mode = self.text("interactiveMode")?;
        self.text("installHint")?;
        if interactive_mode.is_empty() && is_beta(&api_version) {
            interactive_mode.push_str("IfAvailable");
        }
        let variable = |item: Self| {
            Ok(EnvVar {
                name: item.text("name")?,
                value: item.text("value")?,
            })
        };
        Ok(Exec {
            api_version,
            command: self.text("command")?,
            args: self.get("args", Reader::texts)?.unwrap_or_default(),
            env: self
                .maps("env")?
                .into_iter()
                .map(variable)
                .collect::<Result<_, LoadError>>()?,
            provide_cluster_info: self.flag("provideClusterInfo")?,
            interactive_mode,
        })
    }

    fn auth_provider(&self) -> Result<String, LoadError> {
        if let Some(config) = self.map("config")? {
            for id in config.ids.values() {
                self.reader.str(*id, "config")?;
            }
        }
        self.text("name")
    }

    fn impersonates(&self) -> Result<bool, LoadError> {
        let (name, uid) = (self.present("as")?, self.present("as-uid")?);
        let groups = self.get("as-groups", Reader::texts)?.unwrap_or_default();
        let mut extra = false;
        if let Some(keys) = self.map("as-user-extra")? {
            for id in keys.ids.values() {
                self.reader.texts(*id, "as-user-extra")?;
                extra = true;
            }
        }
        Ok(name || uid || !groups.is_empty() || extra)
    }

    fn context(&self) -> Result<Context, LoadError> {
        self.extensions()?;
        Ok(Context {
            file: Arc::clone(&self.reader.file),
            cluster: self.text("cluster")?,
            user: self.text("user")?,
            namespace: self.optional_text("namespace")?,
        })
    }
}

/// The versions whose stanzas may leave `interactiveMode` out (`api/v1/defaults.go`).
fn is_beta(api_version: &str) -> bool {
    matches!(
        api_version,
        "client.authentication.k8s.io/v1beta1" | "client.authentication.k8s.io/v1alpha1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> LoadError {
        load(Path::new("/f"), text.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_key_in_another_case_is_another_one_to_some() {
        let table = [
            ("clusters: [{name: c, cluster: {server: s}}]", false),
            ("clusters: [{name: c, cluster: {Server: s}}]", true),
            (
                "clusters: [{name: c, cluster: {server: s, SERVER: t}}]",
                true,
            ),
            ("clusters: [{name: c, cluster: {\u{17f}erver: s}}]", true),
            ("clusters: [{name: c, Cluster: {server: s}}]", true),
            ("clusters: [{Name: c}]", true),
            ("clusters: []\nCLUSTERS: []", true),
            ("Current-Context: c", true),
            ("contexts: [{name: c, context: {User: u}}]", true),
            ("users: [{name: u, user: {exec: {apiversion: v1}}}]", true),
            (
                "users: [{name: u, user: {exec: {apiVersion: v1, provideClusterInfo: true}}}]",
                false,
            ),
            (
                "users: [{name: u, user: {auth-provider: {config: {Server: x, server: z}}}}]",
                false,
            ),
            ("Other: {Server: s}\nkind: Config", false),
            (
                "clusters: [{name: c, cluster: {extensions: [{name: e, extension: {Server: s}}]}}]",
                false,
            ),
        ];
        for (text, expected) in table {
            let config = load(Path::new("/f"), text.as_bytes()).unwrap();
            assert_eq!(config.disputed, expected, "{text}");
        }
    }

    #[test]
    fn bombs_end_at_the_budget() {
        let bomb = {
            let levels = (b'a'..b'h')
                .map(char::from)
                .zip((b'b'..b'i').map(char::from));
            let lines = levels.map(|(low, high)| {
                let nine = vec![format!("*{low}"); 6].join(",");
                format!("{high}: &{high} [{nine}]\n")
            });
            format!("a: &a [x,x]\n{}", lines.collect::<String>())
        };
        assert!(bomb.len() < 250, "{}", bomb.len());
        assert_eq!(error(&bomb), LoadError::TooManyAliases);
        let limit = 100;
        assert_eq!(
            error(&"[".repeat(tree::MAX_BYTES)),
            LoadError::TooDeep { line: 1, limit }
        );
        assert!(matches!(
            error(&"- ".repeat(10_000)),
            LoadError::TooDeep { .. } | LoadError::Syntax { .. }
        ));
        assert!(matches!(
            error(&format!("x: [{}]", "1,".repeat(400_000))),
            LoadError::TooManyNodes { .. }
        ));
        assert!(matches!(
            error(&format!("x: &x []\ny: [{}]", "*x,".repeat(300_000))),
            LoadError::TooManyNodes { .. }
        ));
        assert_eq!(
            error(&"#".repeat(tree::MAX_BYTES + 1)),
            LoadError::TooLarge {
                limit: tree::MAX_BYTES
            }
        );
        let long = "x".repeat(400_000);
        let copies = format!(
            "x: &x {long}\nusers: [{{name: u, user: {{exec: {{args: [{}]}}}}}}]",
            "*x,".repeat(50)
        );
        assert_eq!(error(&copies), LoadError::TooManyAliases);
        let wide = "x: &x [a,b,c,d,e,f,g,h]\ny: &y [*x,*x,*x]\nz: [*y,*y,*y]\n";
        assert!(load(Path::new("/f"), wide.as_bytes()).is_ok());
    }

    #[test]
    fn errors_say_where_and_what() {
        let table = [
            (
                "contexts:\n- name: no\n",
                "line 2: name must be a text, and is true or false to YAML: put it in quotes",
            ),
            (
                "contexts:\n- name: a\n  context:\n    namespace: 1_000\n",
                "line 4: namespace must be a text, and is a number to YAML: put it in quotes",
            ),
            (
                "users: {}\n",
                "line 1: users must be a list, and is a mapping",
            ),
            (
                "users:\n- {name: u}\n- {name: u}\n",
                "line 3: users has \"u\" twice",
            ),
            ("a: [b\n", "line 1, column 4: unclosed bracket"),
            ("x: !!int a\n", "line 1: a value that its tag contradicts"),
            ("kind: Pod\n", "kind is not Config"),
        ];
        for (text, expected) in table {
            let error = error(text).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn secrets_are_neither_kept_nor_shown() {
        let text = "users: [{name: u, user: {token: hush, password: hush, client-key-data: aHVzaA==, username: hush, \
                    auth-provider: {name: oidc, config: {id-token: hush}}, \
                    exec: {command: x, args: ['--oidc-client-secret=hush'], env: [{name: A, value: hush}]}}}]";
        let config = load(Path::new("/f"), text.as_bytes()).unwrap();
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("hush") && !shown.contains("aHVzaA"),
            "{shown}"
        );
        assert!(
            config.users["u"].has_token
                && config.users["u"].has_basic
                && config.users["u"].has_client_key_data
        );
    }
}
