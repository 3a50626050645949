//! A person's private group: one that nobody else is in (useradd's USERGROUPS_ENAB).

/// The group that has a person's own number, if the system's files put nobody else into it.
pub(super) fn private(person: u32, (users, groups): &(String, String)) -> Option<u32> {
    (!wire::os::has_somebody_else(person, person, users, groups)).then_some(person)
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
