//! The live cluster as a target.

use super::cluster::{Cluster, TestResult};
use etcd_cat::monitor::Silent;
use etcd_cat::oc::live_target;
use std::fs;

#[test]
fn the_cluster_says_which_version_and_which_cluster_it_is() -> TestResult {
    let cluster = Cluster::new()?;
    let target = live_target(&cluster.oc()?, &Silent)?;
    assert_eq!(target.version, "4.17.3");
    assert_eq!(target.cluster_id, "0d5c6f5e-6b5b-4b8e-9d0a-3f0f6f2f9c11");
    assert_eq!(target.infrastructure_name.as_deref(), Some("prod-7xk2p"));
    assert!(!target.is_upgrading);
    cluster.edit("clusterversion", "\"Completed\"", "\"Partial\"")?;
    fs::remove_file(cluster.path("answers/infrastructure.json"))?;
    let target = live_target(&cluster.oc()?, &Silent)?;
    assert!(target.is_upgrading && target.infrastructure_name.is_none());
    Ok(())
}
