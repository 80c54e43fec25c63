use etcd_cat::survey::*;
fn main() {
    let args: Vec<std::path::PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    let catalogue = etcd_cat::catalogue::Catalogue::new(etcd_cat::catalogue::CatalogueLocation::Memory);
    let options = Options { depth: Depth::Everything, jobs: 2, as_of: "2024-11-10T00:00:00Z".parse().unwrap(), accept: vec![] };
    let s = examine(&args, &catalogue, &options, &etcd_cat::monitor::Silent).unwrap();
    for b in &s.backups {
        println!("{:?} {:?} {:?} {:?} {:?} {:?} {}", b.id(), b.verdict, b.version.openshift, b.path(), b.pairing.basis, b.taken_at, b.kuberesources.is_some());
        for e in &b.pairing.evidence { println!("     + {e}"); }
        for f in &b.findings { println!("   {:?} {} {}", f.severity, f.code, f.message); }
    }
    println!("{:?} {} {}", s.skipped, s.files, s.bytes);
}
