//! Findings about files: absent, changed, unreadable.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const INCOMPLETE_DOWNLOAD: Explanation = Explanation {
    title: "An interrupted save: the file still has its temporary name",
    meaning: "etcdctl writes a snapshot under a name ending in .part and renames it when it is complete. Under such a \
              name it was never finished: the save was killed, or it is still running. Mostly it holds some beginning \
              of a snapshot, and restores nothing whatever its name is. Where its digest matches, only the rename is \
              missing: then this is a warning, and the file is as good as any.",
    steps: &[
        Do("If a backup is running, wait for it."),
        Do("If this is a warning, the file is complete: give it its name and verify it."),
        Run("mv -n FILE.db.part FILE.db && etcd-cat verify FILE.db"),
        Do("If it is an error, take a new backup, then remove the file: nothing else will."),
        Run("etcd-cat backup --to DIRECTORY"),
        Run("rm FILE.db.part"),
    ],
};

pub(super) const SNAPSHOT_COMPRESSED: Explanation = Explanation {
    title: "The snapshot is packed",
    meaning: "The file is a compressed one that unpacks to a snapshot, and every finding is about what it unpacks to. \
              Packed backups are fine to keep. cluster-restore.sh and etcdutl take no packed file, so it is unpacked \
              before a restore, which stage does. Where the name does not tell that it is packed, the script would \
              take the file as it is and fail after it has stopped etcd; that is a warning.",
    steps: &[
        Do("Have the pair unpacked and proven once more before a restore."),
        Run("etcd-cat stage BACKUP --to DIRECTORY"),
        Do("If the name hides it, rename the file so that it ends in what it is."),
        Run("mv -n snapshot.db snapshot.db.gz"),
    ],
};

pub(super) const FILE_MISSING: Explanation = Explanation {
    title: "The file is in the catalogue and no longer on disk",
    meaning: "etcd-cat has read this file before and now finds it at none of the places it remembers. What the \
              catalogue says about it was true then, but a record restores nothing. It was deleted by a \
              retention job, moved, or its file system is not mounted.",
    steps: &[
        Do("Check that the storage is mounted, then read the place again."),
        Run("findmnt -T DIRECTORY; etcd-cat index DIRECTORY"),
        Do(
            "If it was moved, index the new place: the same bytes are recognised as the same backup.",
        ),
        Run("etcd-cat index NEW_DIRECTORY"),
        Do("If it is gone for good, drop the record."),
        Run("etcd-cat forget BACKUP"),
    ],
};

pub(super) const FILE_CHANGED: Explanation = Explanation {
    title: "The content changed since it was verified",
    meaning: "Under the same name there are now other bytes than those that were proven before. Backups are \
              written once, so something wrote into it since: damage, a tool that opened it for writing, or a \
              script that uses one name again and again. The findings are those of the bytes that are there \
              now; what was verified before is lost unless a copy exists.",
    steps: &[
        Do("Look for a copy of the verified content."),
        Run("etcd-cat show BACKUP"),
        Do("Find out what wrote to it, and compare its modification time with your jobs."),
        Run("stat FILE"),
        Do("If your job reuses names, let it write a new name for each backup."),
    ],
};

pub(super) const CHANGED_WHILE_READING: Explanation = Explanation {
    title: "The file was being written while it was read",
    meaning: "Its length or modification time changed between the first and the last byte that was read, so \
              nothing that was learnt is certain. Most likely a copy or a backup is still running. No judgement \
              about the file is possible until that is over.",
    steps: &[
        Do("See who is writing, wait, and verify again."),
        Run("fuser -v FILE"),
        Run("etcd-cat verify FILE"),
        Do("Index finished files only: let the job write to another name and rename at the end."),
    ],
};

pub(super) const UNREADABLE: Explanation = Explanation {
    title: "The file could not be read",
    meaning: "The operating system refused to give some of its bytes; its words and the place are in the message. \
              `Permission denied` is the usual one: backups are written by root with mode 0600. \
              `Input/output error` is a dying disk or a lost network file system, and then the other backups on \
              it are in danger, too.",
    steps: &[
        Do("For a permission: run as root, or give your account the right to read."),
        Run("sudo etcd-cat verify FILE"),
        Do(
            "For an I/O error: look at the kernel's messages, and copy what is still readable to another disk now.",
        ),
        Run("dmesg -T | tail -50"),
    ],
};

pub(super) const CHECKSUM_DIFFERS: Explanation = Explanation {
    title: "A checksum recorded beside the file says otherwise",
    meaning: "A list beside the file (such as SHA256SUMS, or a file of the same name that ends in .sha256 or .md5) has a \
              checksum of it, and the file has another one. The list of a packed directory may lie in it or beside it; one of the \
              packed file itself is about everything in it. Either the file was changed after the list was made, or the \
              list is of another file or another run. A snapshot has a digest of its own: where that matches, its data \
              is what etcd sent, and the list is wrong. A kuberesources has none: the list is all that can vouch for it. \
              It is compared as the file is read; a list that was changed later counts from the next verify.",
    steps: &[
        Do("See which line it is, and when list and file were written."),
        Run("ls -l --time-style=full-iso LIST FILE; grep FILE LIST; sha256sum FILE"),
        Do("Compare with the original on the node, or with another copy."),
        Run("oc debug node/NODE -- chroot /host sha256sum DIRECTORY/FILE"),
        Do(
            "Where the file proves to be right, make the list anew; where it was changed, take the other copy.",
        ),
        Run("etcd-cat verify DIRECTORY"),
    ],
};
