fn main() {
    for path in std::env::args().skip(1) {
        let mut file = std::fs::File::open(&path).unwrap();
        let r = etcd_cat::snapshot::read(
            &mut file,
            etcd_cat::snapshot::HashOn::OwnThread,
            &etcd_cat::monitor::Silent,
        )
        .unwrap();
        let s = r.snapshot;
        println!(
            "{path} {:?} live {:?} compact {:?} lease {:?} content {:?} match {} v{:?} enc {:?} sealed {:?}",
            s.status,
            s.live_keys,
            s.compact_revision,
            s.newest_lease_at,
            s.newest_content_at,
            s.digest_matches(),
            s.cluster.history.first().map(|h| h.version.clone()),
            s.encryption.len(),
            r.sealed
        );
        for f in &s.findings {
            println!("   {} {}", f.code, f.message);
        }
    }
}
