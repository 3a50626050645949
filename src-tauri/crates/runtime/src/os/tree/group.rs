//! A person's private group: one that nobody else is in (useradd's USERGROUPS_ENAB).

/// `/etc/passwd` and `/etc/group`, as far as they can be read. What a directory server adds is not in them.
pub(super) fn read() -> (String, String) {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    (read("/etc/passwd"), read("/etc/group"))
}

/// The group that has a person's own number, if the system's files put nobody else into it (passwd(5), group(5)).
pub(super) fn private(person: u32, (users, groups): &(String, String)) -> Option<u32> {
    let fields = |line: &str| -> Vec<String> { line.split(':').map(str::to_owned).collect() };
    let users: Vec<Vec<String>> = users.lines().map(fields).collect();
    let is = |field: Option<&String>| field.is_some_and(|text| *text == person.to_string());
    let names: Vec<&String> = users
        .iter()
        .filter(|user| is(user.get(2)))
        .filter_map(|user| user.first())
        .collect();
    let others_have_it = users.iter().any(|user| is(user.get(3)) && !is(user.get(2)));
    let others_are_in_it = groups.lines().map(fields).any(|group| {
        let members = group.get(3).map(String::as_str).unwrap_or_default();
        is(group.get(2))
            && members
                .split(',')
                .map(str::trim)
                .any(|member| !member.is_empty() && names.iter().all(|name| *name != member))
    });
    (!others_have_it && !others_are_in_it).then_some(person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_private_as_long_as_nobody_else_is_in_it() {
        const USERS: &str = "root:x:0:0::/:/bin/sh\nkim:x:1000:1000::/home/kim:/bin/sh\n";
        for (users, groups, expected) in [
            ("", "kim:x:1000:", Some(1000)),
            ("", "kim:x:1000:kim", Some(1000)),
            ("", "", Some(1000)),
            ("", "kim:x:1000:kim,lee", None),
            ("", "users:x:1000:lee", None),
            ("", "kim:x:1000:\nalias:x:1000:lee", None),
            ("lee:x:1001:1000::/home/lee:/bin/sh\n", "kim:x:1000:", None),
        ] {
            let files = (format!("{USERS}{users}"), groups.to_owned());
            assert_eq!(private(1000, &files), expected, "{users} {groups}");
        }
    }
}
