//! Findings about the bytes of a snapshot: length, digest, bbolt pages.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const NOT_A_SNAPSHOT: Explanation = Explanation {
    title: "The file is not an etcd snapshot",
    meaning: "Neither of the two places where a bbolt database keeps its meta page holds a valid one, so \
              there is no way into the data, and a restore from the file as it lies fails. The backup may still be \
              in it: where the bytes are known, the finding says what they are, such as a page or a pointer saved in \
              the place of the file, a database behind the words of `oc debug`, or one that was rewritten as text on \
              its way. Encrypted, split and otherwise packed files are not judged: they stand among what was skipped, \
              with the pipe that leads to the backup. Otherwise the start of the file was overwritten.",
    steps: &[
        Do(
            "Do what the finding says, if it says what the file is. Delete nothing before another backup is proven.",
        ),
        Do(
            "Where words stand in front of the database, cut them off as the finding tells, and verify that.",
        ),
        Run("tail -c +BYTE FILE > NEW && etcd-cat verify NEW"),
        Do("Otherwise look at what the file really is."),
        Run("file FILE; head -c 64 FILE | xxd"),
        Do(
            "If it is encrypted or packed, undo that and verify the result; otherwise fetch it again from where it was taken.",
        ),
        Do("Pick another backup of the same version meanwhile."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const TRUNCATED: Explanation = Explanation {
    title: "The snapshot is cut short",
    meaning: "The database's own meta page says how many pages the file has, and the file ends before them. \
              The missing pages may be in use, and the digest at the end is gone as well, so etcd refuses to \
              restore it. It happens when a copy was interrupted, the disk was full, or an upload ended early; \
              an empty file counts as cut short too.",
    steps: &[
        Do("Compare the length with that of the original, if it still exists."),
        Run("oc debug node/NODE -- chroot /host ls -l DIRECTORY"),
        Do("Copy it again, then prove the copy."),
        Run("etcd-cat verify FILE"),
        Do(
            "Check the free space where it was written to; the next backup will fail in the same way.",
        ),
    ],
};

pub(super) const TRAILING_DATA: Explanation = Explanation {
    title: "There are bytes behind the end of the snapshot",
    meaning: "After the last page and the 32-byte digest the file goes on. etcd takes the last 32 bytes of the \
              file for the digest, so a restore finds the wrong one and stops. Something was appended: two \
              downloads into one file, a shell redirection with `>>`, text of a tool mixed into the stream, or \
              padding by a storage system.",
    steps: &[
        Do("Fetch the file again from its origin, into a new name."),
        Do(
            "Do not cut the file to size by hand unless nothing else is left; work on a copy then, and verify it.",
        ),
        Run("cp FILE COPY && truncate -s EXPECTED_BYTES COPY && etcd-cat verify COPY"),
    ],
};

pub(super) const DIGEST_MISMATCH: Explanation = Explanation {
    title: "The content is not what etcd sent: its SHA-256 differs from the recorded one",
    meaning: "etcd ends every snapshot stream with the SHA-256 of all bytes before. This file's bytes have \
              another one, so at least one bit changed after etcd sent it, and the standard restore stops with \
              `expected sha256 [...], got [...]`. `etcdutl snapshot status` never looks at it, so a backup \
              script can have called this file good. Usual causes: damage in copying or on the disk, or a tool \
              that opened the file for writing, as `etcdctl snapshot status` of etcd 3.2 did.",
    steps: &[
        Do("Look for a sound copy of the same backup; copies with other content have another id."),
        Run("etcd-cat list --all -o wide"),
        Do("Compare with the original on the node, if it is still there, and fetch it again."),
        Run("oc debug node/NODE -- chroot /host sha256sum DIRECTORY/FILE"),
        Do(
            "Choose another backup of the same version; use `--skip-hash-check` only when this is the last one left and the findings on its structure are clean.",
        ),
    ],
};

pub(super) const DIGEST_MISSING: Explanation = Explanation {
    title: "The snapshot carries no digest: it is a raw copy of a database file",
    meaning: "Files made by `etcdctl snapshot save` end in a 32-byte SHA-256; this one does not, so it was \
              copied from `member/snap/db` directly, or the end was cut off exactly. Without the digest nothing \
              can prove the bytes, and cluster-restore.sh fails with `snapshot missing hash but \
              --skip-hash-check=false`. If etcd was running during the copy, pages of different moments are \
              mixed. The agent of two-node clusters with fencing makes such copies of a stopped member on \
              purpose; its own restore skips the hash check.",
    steps: &[
        Do("Prefer a backup taken with cluster-backup.sh or `etcd-cat backup`."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "If only this file is left and its structure is sound, restore by the manual procedure, which passes `--skip-hash-check=true`.",
        ),
        Do("If you know that etcd was stopped during the copy, accept the finding for one run."),
        Run("etcd-cat check --valid-for VERSION --accept digest-missing"),
    ],
};

pub(super) const META_INVALID: Explanation = Explanation {
    title: "One of the two meta pages is invalid",
    meaning: "A bbolt database has two meta pages and writes them in turn; one that fails its checksum is \
              passed over for the other. The data is complete as of the transaction of the valid one, and etcd \
              opens such a file. It can come from a crash during a write, which a snapshot made through the \
              API does not contain, so a raw copy or damage to the first pages is more likely.",
    steps: &[
        Do(
            "Read the other findings: with a matching digest the page was already invalid in the cluster, without one the file was damaged later.",
        ),
        Do("Prefer a backup without this finding if one of about the same age exists."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const STRUCTURE_PAGE: Explanation = Explanation {
    title: "A page in use is malformed",
    meaning: "A page that the database needs does not describe itself correctly: its number, its type, or the \
              places of its elements are impossible. The keys below it are lost, and etcd panics or drops them \
              when it opens the file. With a digest that does not match, the file was damaged after it was \
              taken; with one that matches, the member's own database was already damaged.",
    steps: &[
        Do("Choose another backup; this one cannot be repaired."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "If the digest matches, check the disk of the node it was taken from and take the next backup from another member.",
        ),
        Run("etcd-cat backup --node OTHER_NODE --to DIRECTORY"),
    ],
};

pub(super) const STRUCTURE_ORDER: Explanation = Explanation {
    title: "Keys stand in the wrong order",
    meaning: "bbolt finds keys by binary search, so every page must be sorted and stay inside the range that its \
              parent gives it. Here a key does not. Keys past that point cannot be found, although they are in \
              the file, and etcd will restore a cluster in which objects are missing. A flipped bit in a key or \
              a mix of pages of two moments does this.",
    steps: &[
        Do("Choose another backup; this one cannot be repaired."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "If the digest matches, defragment or replace the member that it came from: its database is damaged.",
        ),
    ],
};

pub(super) const STRUCTURE_REFERENCE: Explanation = Explanation {
    title: "A page is referred to in an impossible way",
    meaning: "A page is outside the file, is used by two parents, refers to one of its own ancestors, or is in \
              use and listed as free at once. etcd would read one bucket's data as another's, run in circles, or \
              overwrite live data with its first write after the restore. It comes from damage, or from a raw \
              copy made while etcd was writing.",
    steps: &[
        Do("Choose another backup; this one cannot be repaired."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "If it was copied from a running member, take backups with cluster-backup.sh or `etcd-cat backup` from now on.",
        ),
    ],
};

pub(super) const STRUCTURE_FREELIST: Explanation = Explanation {
    title: "The list of free pages is wrong",
    meaning: "Some databases store a list of the pages that are free; here it is malformed, or there are pages \
              that are neither used nor free. All data may still be readable, but etcd allocates new pages from \
              that list and a wrong one makes it overwrite data in use later. etcd does not normally \
              store the list, so its presence hints that another tool rewrote the file.",
    steps: &[
        Do("Choose a backup that was not opened for writing by another tool."),
        Run("etcd-cat list --valid-for VERSION"),
        Do("Fetch the original again if it exists; open snapshots read-only from then on."),
    ],
};

pub(super) const OPENED_SINCE: Explanation = Explanation {
    title: "The file was opened for writing after it was saved",
    meaning: "etcdutl hashkv, and whatever else opens a snapshot as a database of its own, counts the transaction numbers of \
              the two meta pages up and writes their checksums anew: a few bytes, and no data. The digest at the end does \
              not match any more, so cluster-restore.sh refuses the file as it lies. With the numbers put back it \
              matches: the data is proven to be what was saved. The verdict is invalid and the backup usable all the \
              same: stage writes the original bytes, and checks them against the digest as it writes.",
    steps: &[
        Do("Write what was saved into a directory of its own, and restore from there."),
        Run("etcd-cat stage BACKUP --to DIRECTORY"),
        Do("Run such tools on a copy in future."),
        Run("cp --reflink=auto FILE COPY && etcdutl hashkv COPY"),
    ],
};

pub(super) const MENDED: Explanation = Explanation {
    title: "What was saved can be had back, as the digest proves",
    meaning: "Something happened to the file that is known and can be undone: bytes were put before or behind the data, a \
              transfer in text mode rewrote the line ends, a meta page was changed that follows from the other one, or the \
              trailer was lost and a checksum recorded beside the file covers data and trailer. It was undone in memory, \
              and the digest matches: the data is proven to be what was saved. Nothing is believed without that proof, \
              and the file itself is never changed. cluster-restore.sh refuses it as it lies, so the verdict is \
              invalid; the backup is usable all the same, after every one that is usable as it lies: stage writes the \
              original bytes, and checks them against the digest as it writes.",
    steps: &[
        Do("Write what was saved into a directory of its own, and restore from there."),
        Run("etcd-cat stage BACKUP --to DIRECTORY"),
        Do(
            "Find out what changes files on their way: a terminal between (oc debug without a file), ASCII mode of FTP, a \
            copy that appends. The next backup goes the same way.",
        ),
    ],
};
