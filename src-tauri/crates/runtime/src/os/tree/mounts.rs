//! Who serves a FUSE file system, and from where.

/// FUSE file systems that keep their content on this machine, by the name that the program mounts them by (fuse(8):
/// `subtype`). Others get it from elsewhere (sshfs, rclone, s3fs) or are not known, and elsewhere somebody may give each
/// reader another text, with whatever owner and times.
const OF_THIS_MACHINE: [&str; 10] = [
    "bindfs",
    "cryfs",
    "encfs",
    "fuse-overlayfs",
    "gocryptfs",
    "mergerfs",
    "ntfs-3g",
    "securefs",
    "squashfuse",
    "squashfuse_ll",
];

/// By whom a mount may be, for what it shows to be evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) user: u32,
    /// Whether the user 0 is root, and not this person in a user namespace of theirs.
    pub(super) knows_root: bool,
}

/// Whether what the FUSE mount with this number (`major:minor`) shows is as good as any file of this machine, by the list
/// of mounts (proc_pid_mountinfo(5)) and the option `user_id` that the kernel adds to it (fuse(8)): root mounted it, or
/// this person did and its content is here. In doubt it is not.
pub(super) fn is_believed(mounts: &str, number: &str, person: Person) -> bool {
    let mut found = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let of = before.split(' ').nth(2)?;
        let mut after = after.split(' ');
        let (kind, options) = (after.next()?, after.nth(1)?);
        (of == number).then_some((kind, options))
    });
    let believed = |(kind, options): (&str, &str)| {
        let user = options
            .split(',')
            .find_map(|option| option.strip_prefix("user_id="));
        let Some(user) = user.and_then(|user| user.parse::<u32>().ok()) else {
            return false;
        };
        let by_root = user == 0 && person.knows_root;
        by_root || ((user == person.user || user == 0) && is_of_this_machine(kind))
    };
    found.next().is_some_and(believed) && found.all(believed)
}

/// `fuseblk` is a disk that is a device of this machine.
fn is_of_this_machine(kind: &str) -> bool {
    let (system, name) = kind.split_once('.').unwrap_or((kind, ""));
    system == "fuseblk" || (system == "fuse" && OF_THIS_MACHINE.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_believed_by_who_serves_it_and_from_where() {
        const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
60 22 0:50 / /home/kim/remote rw,nosuid,nodev - fuse.sshfs host:/ rw,user_id=1000,group_id=1000
61 22 0:51 / /mnt/theirs rw,nosuid,nodev shared:7 master:2 - fuse.gocryptfs evil rw,user_id=1001,group_id=1001,allow_other
62 22 0:52 / /run/root rw - fuse.sshfs host:/ rw,user_id=0,group_id=0,allow_other
63 22 0:54 / /home/kim/private rw,nosuid,nodev - fuse.gocryptfs /home/kim/.cipher rw,user_id=1000,group_id=1000
64 22 0:55 / /home/kim/cloud rw,nosuid,nodev - fuse.rclone drive: rw,user_id=1000,group_id=1000
65 22 0:56 / /home/kim/what rw,nosuid,nodev - fuse what rw,user_id=1000,group_id=1000
66 22 8:17 / /media/kim/stick rw,nosuid,nodev - fuseblk /dev/sdb1 rw,user_id=1000,group_id=1000
67 22 0:57 / /home/kim/both rw - fuse.bindfs /home/kim rw,user_id=1000,group_id=1000
68 22 0:57 / /home/kim/same rw - fuse.sshfs host:/ rw,user_id=1000,group_id=1000
";
        for (number, root_s, expected) in [
            ("0:50", true, false),
            ("0:51", true, false),
            ("0:52", true, true),
            ("0:52", false, false),
            ("0:53", true, false),
            ("0:54", true, true),
            ("0:54", false, true),
            ("0:55", true, false),
            ("0:56", true, false),
            ("8:17", true, true),
            ("0:57", true, false),
            ("254:0", true, false),
        ] {
            let person = Person {
                user: 1000,
                knows_root: root_s,
            };
            let found = is_believed(MOUNTS, number, person);
            assert_eq!(found, expected, "{number}, {root_s}");
        }
    }
}
