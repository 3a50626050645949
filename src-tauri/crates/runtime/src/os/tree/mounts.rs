//! Who serves a FUSE file system.

/// Whether the mount with this number (`major:minor`) is served by this person or by root, by the list of mounts
/// (proc_pid_mountinfo(5)) and the option `user_id` that the kernel adds to it (fuse(8)). In doubt it is not.
pub(super) fn served_by(mounts: &str, number: &str, person: u32) -> bool {
    let mut found = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let of = before.split(' ').nth(2)?;
        let options = after.split(' ').nth(2)?;
        (of == number).then_some(options)
    });
    let by = |options: &str| {
        let user = options
            .split(',')
            .find_map(|option| option.strip_prefix("user_id="));
        user.is_some_and(|user| user == "0" || user == person.to_string())
    };
    found.next().is_some_and(by) && found.all(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_its_servers() {
        const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
60 22 0:50 / /home/kim/remote rw,nosuid,nodev - fuse.sshfs host:/ rw,user_id=1000,group_id=1000
61 22 0:51 / /mnt/theirs rw,nosuid,nodev shared:7 master:2 - fuse.evil evil rw,user_id=1001,group_id=1001,allow_other
62 22 0:52 / /run/root rw - fuse.portal portal rw,user_id=0,group_id=0,allow_other
";
        for (number, expected) in [
            ("0:50", true),
            ("0:51", false),
            ("0:52", true),
            ("0:53", false),
            ("254:0", false),
        ] {
            assert_eq!(served_by(MOUNTS, number, 1000), expected, "{number}");
        }
    }
}
