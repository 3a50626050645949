//! For which servers a program other than kubectl can have asked: how it puts its files together, and what it takes
//! from its arguments, is its own affair. So everything counts that any reading of them gives.

use std::collections::BTreeSet;

use crate::address::Address;
use crate::config::{Cluster, Exec};
use crate::merge::Merged;
use crate::named::Named;
use crate::narrow::is_lossy;
use crate::origin::{Gathered, Origin};
use crate::server::{OddAddress, ServerKey};

/// The servers of the widest reading: every context in any of the files, with any user of that name in any of them
/// whose stanza can be this one (`arguments` are ours without our own name), and any cluster of that name in any of them;
/// and what the asker's words name besides. Whatever a stanza runs can run us, by a link or by a name that is not known:
/// it counts if its arguments end with ours. Each of `views` is one file alone: `merge` of it, for its relative paths.
pub fn widest(views: &[Merged], arguments: &[String], named: &Named) -> Origin {
    let disputed = views.iter().any(|view| view.disputed);
    if named.unclear || disputed || arguments.iter().any(|word| is_lossy(word)) {
        return Origin::Unknown;
    }
    let stanzas = || {
        let all = views.iter().flat_map(|view| &view.users);
        all.filter_map(|(name, user)| {
            let exec = user.exec.as_ref();
            exec.filter(|exec| exec.args.ends_with(arguments))
                .map(|exec| (name.as_str(), exec))
        })
    };
    // Whoever says that to its plugins says it itself. Of a client that does not, such a stanza would make one that does.
    let is_made_to_tell = |exec: &Exec| {
        let mut env = exec.env.iter();
        env.any(|one| one.name.eq_ignore_ascii_case("KUBERNETES_EXEC_INFO"))
    };
    if stanzas().any(|(_, exec)| is_made_to_tell(exec)) {
        return Origin::Unknown;
    }
    let users: BTreeSet<&str> = stanzas().map(|(name, _)| name).collect();
    if users.is_empty() {
        return Origin::NoSuchStanza;
    }
    let clusters = || {
        let all = views.iter().flat_map(|view| &view.clusters);
        // Whoever reads one without an address refuses it.
        all.filter(|(_, cluster)| !cluster.server.is_empty())
    };
    let mut found = Gathered::default();
    let mut is_odd = false;
    let mut add = |cluster: &Cluster, context: Option<&String>| {
        // Data comes before a file to kubectl, and after it to `@kubernetes/client-node`.
        is_odd |=
            cluster.certificate_authority.is_some() && cluster.certificate_authority_data.is_some();
        match ServerKey::try_from(cluster) {
            Ok(server) => found.add(server, context, &cluster.file),
            Err(OddAddress) => is_odd = true,
        }
    };
    let with_named_user = named.users.iter().any(|user| users.contains(user.as_str()));
    for (name, context) in views.iter().flat_map(|view| &view.contexts) {
        if with_named_user || users.contains(context.user.as_str()) {
            clusters()
                .filter(|(cluster, _)| **cluster == context.cluster)
                .for_each(|(_, cluster)| add(cluster, Some(name)));
        }
    }
    clusters()
        .filter(|(name, _)| named.clusters.contains(name))
        .for_each(|(_, cluster)| add(cluster, None));
    for address in &named.servers {
        let mut there = clusters()
            .filter(|(_, cluster)| is_at(cluster, address))
            .peekable();
        if there.peek().is_none() {
            return Origin::Unknown;
        }
        there.for_each(|(_, cluster)| add(cluster, None));
    }
    if is_odd {
        return Origin::Unknown;
    }
    Origin::of(found.candidates())
}

/// Whether an address is a cluster's, be it without its scheme, its usual port or a `/` at its end.
fn is_at(cluster: &Cluster, address: &str) -> bool {
    let both = Address::read(&cluster.server).zip(Address::read(address));
    both.is_some_and(|(cluster, address)| cluster.is_same(&address))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const OWN: (&str, &str) = (
        "/own",
        "
current-context: dev
clusters:
- {name: dev, cluster: {server: 'https://dev'}}
- {name: prod, cluster: {server: 'https://prod:443/'}}
- {name: empty, cluster: {}}
users:
- {name: me, user: {exec: {command: kubectl-fob, args: [get-token, a]}}}
- {name: admin, user: {exec: {command: kubectl-fob, args: [get-token, admin]}}}
contexts:
- {name: dev, context: {cluster: dev, user: me}}
- {name: prod, context: {cluster: prod, user: admin}}
- {name: empty, context: {cluster: empty, user: me}}
",
    );
    /// The person's own names, for others' servers; and a context without a user of its own.
    const EVIL: (&str, &str) = (
        "/evil",
        "
clusters:
- {name: dev, cluster: {server: 'https://evil'}}
contexts:
- {name: mine, context: {cluster: dev, user: me}}
",
    );

    fn asked(files: &[(&str, &str)], named: &Named) -> String {
        let view = |(file, text): &(&str, &str)| {
            let config = crate::load(Path::new(file), text.as_bytes()).unwrap();
            crate::merge([&config], Path::new("/"))
        };
        let views: Vec<Merged> = files.iter().map(view).collect();
        match widest(&views, &["get-token".into(), "a".into()], named) {
            Origin::Known(candidates) => candidates
                .iter()
                .map(|one| format!("{}[{}]", one.server.url, one.contexts.join(",")))
                .collect::<Vec<_>>()
                .join(" "),
            Origin::NoSuchStanza => "none".to_owned(),
            Origin::Unknown => "unknown".to_owned(),
        }
    }

    fn servers(addresses: &[&str]) -> Named {
        Named {
            servers: addresses
                .iter()
                .map(|&address| address.to_owned())
                .collect(),
            ..Named::default()
        }
    }

    #[test]
    fn every_reading_of_several_files_counts() {
        let none = Named::default();
        assert_eq!(asked(&[OWN], &none), "https://dev[dev]");
        let both = "https://dev[dev,mine] https://evil[dev,mine]";
        assert_eq!(asked(&[OWN, EVIL], &none), both);
        assert_eq!(asked(&[EVIL, OWN], &none).split(' ').count(), 2);
        assert_eq!(asked(&[EVIL], &none), "none");
        assert_eq!(asked(&[], &none), "none");
    }

    #[test]
    fn a_stanza_counts_whatever_it_runs() {
        let evil = |command: &str, args: &str| {
            format!(
                "clusters: [{{name: evil, cluster: {{server: 'https://evil'}}}}]\n\
                 users: [{{name: eve, user: {{exec: {{command: {command}, args: [{args}]}}}}}}]\n\
                 contexts: [{{name: evil, context: {{cluster: evil, user: eve}}}}]\n"
            )
        };
        let both = "https://dev[dev] https://evil[evil]";
        let table = [
            ("kubectl", "oidc-login, get-token, a", both),
            ("k", "oidc-login, get-token, a", both),
            ("env", "X=y, kubectl, oidc-login, get-token, a", both),
            ("/tmp/x", "get-token, a", both),
            ("/tmp/x", "get-token, a, b", "https://dev[dev]"),
            ("/tmp/x", "a", "https://dev[dev]"),
        ];
        for (command, args, expected) in table {
            let evil = evil(command, args);
            let found = asked(&[OWN, ("/evil", &evil)], &Named::default());
            assert_eq!(found, expected, "{command} {args}");
        }
    }

    #[test]
    fn a_server_that_is_named_counts_and_another_makes_all_unknown() {
        let table = [
            ("https://dev", "https://dev[dev]"),
            ("HTTPS://DEV:443/", "https://dev[dev]"),
            ("dev:443", "https://dev[dev]"),
            ("dev", "https://dev[dev]"),
            ("https://prod", "https://dev[dev] https://prod:443/[]"),
            ("http://dev", "unknown"),
            ("https://dev:6443", "unknown"),
            ("https://dev/k8s", "unknown"),
            ("https://evil", "unknown"),
            ("https://dev/#", "unknown"),
            ("https://evil\\@dev", "unknown"),
        ];
        for (address, expected) in table {
            assert_eq!(asked(&[OWN], &servers(&[address])), expected, "{address}");
        }
        assert_eq!(
            asked(&[OWN], &servers(&["https://dev", "https://x"])),
            "unknown"
        );
    }

    #[test]
    fn clusters_and_users_that_are_named_count_with_every_other() {
        let named = Named {
            clusters: vec!["prod".to_owned(), "nothing".to_owned()],
            ..Named::default()
        };
        assert_eq!(
            asked(&[OWN], &named),
            "https://dev[dev] https://prod:443/[]"
        );
        let named = |user: &str| Named {
            users: vec![user.to_owned()],
            ..Named::default()
        };
        assert_eq!(
            asked(&[OWN], &named("me")),
            "https://dev[dev] https://prod:443/[prod]"
        );
        assert_eq!(asked(&[OWN], &named("admin")), "https://dev[dev]");
    }

    #[test]
    fn what_other_programs_can_read_otherwise_is_unknown() {
        let table = [
            ("    server: https://dev\n", "", "https://dev[dev]"),
            (
                "    server: https://evil\n    server: https://dev\n",
                "",
                "unknown",
            ),
            ("    server: https://evil\n    <<: *d\n", "", "unknown"),
            ("    <<: *d\n    server: https://dev\n", "", "unknown"),
            ("    <<: *d\n", "", "https://dev[dev]"),
            ("    <<: [*d, {server: x}]\n", "", "unknown"),
            (
                "    server: https://dev\n    *m : {proxy-url: 'http://x'}\n",
                "",
                "unknown",
            ),
            (
                "    server: https://dev\n    \"<<\": {proxy-url: 'http://x'}\n",
                "",
                "unknown",
            ),
            ("    server: https://dev\n", "---\n", "https://dev[dev]"),
            (
                "    server: https://dev\n",
                "...\n---\n# only words\n",
                "https://dev[dev]",
            ),
            (
                "    server: https://dev\n",
                "---\nclusters: []\n",
                "unknown",
            ),
            ("    server: https://dev\n", "---\n: [\n", "unknown"),
        ];
        for (cluster, after, expected) in table {
            let text = format!(
                "x: &d {{server: 'https://dev'}}\ny: &m <<\n\
                 users: [{{name: me, user: {{exec: {{command: k, args: [get-token, a]}}}}}}]\n\
                 contexts: [{{name: dev, context: {{cluster: dev, user: me}}}}]\n\
                 clusters:\n- name: dev\n  cluster:\n{cluster}{after}"
            );
            let found = asked(&[("/own", &text)], &Named::default());
            assert_eq!(found, expected, "{cluster}{after}");
        }
    }

    #[test]
    fn a_stanza_that_says_what_its_client_would_is_unknown() {
        let file = |args: &str, name: &str| {
            format!(
                "users: [{{name: eve, user: {{exec: {{command: k, args: [{args}], \
                 env: [{{name: {name}, value: '{{}}'}}]}}}}}}]\n"
            )
        };
        let table = [
            ("get-token, a", "KUBERNETES_EXEC_INFO", "unknown"),
            ("get-token, a", "kubernetes_exec_info", "unknown"),
            ("get-token, a", "HTTPS_PROXY", "https://dev[dev]"),
            ("get-token, b", "KUBERNETES_EXEC_INFO", "https://dev[dev]"),
        ];
        for (args, name, expected) in table {
            let file = file(args, name);
            let found = asked(&[OWN, ("/evil", &file)], &Named::default());
            assert_eq!(found, expected, "{args} {name}");
        }
    }

    #[test]
    fn two_authorities_of_one_cluster_are_unknown() {
        let file = |ca: &str| {
            format!(
                "users: [{{name: me, user: {{exec: {{command: k, args: [get-token, a]}}}}}}]\n\
                 contexts: [{{name: dev, context: {{cluster: dev, user: me}}}}]\n\
                 clusters:\n- {{name: dev, cluster: {{server: 'https://dev', {ca}}}}}\n\
                 - {{name: other, cluster: {{server: 'https://other', certificate-authority: a, \
                 certificate-authority-data: YQ==}}}}\n"
            )
        };
        let table = [
            ("certificate-authority: a", "https://dev[dev]"),
            ("certificate-authority-data: YQ==", "https://dev[dev]"),
            (
                "certificate-authority: a, certificate-authority-data: ''",
                "https://dev[dev]",
            ),
            (
                "certificate-authority: a, certificate-authority-data: YQ==",
                "unknown",
            ),
        ];
        for (ca, expected) in table {
            let found = asked(&[("/own", &file(ca))], &Named::default());
            assert_eq!(found, expected, "{ca}");
        }
    }

    #[test]
    fn what_is_unclear_is_unknown() {
        let named = Named {
            unclear: true,
            ..Named::default()
        };
        assert_eq!(asked(&[OWN], &named), "unknown");
    }
}
