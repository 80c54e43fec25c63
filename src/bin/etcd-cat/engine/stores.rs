//! The stores that backups are read from: a new one is added here.

use crate::args::GlobalArgs;
use etcd_cat::source::Stores;

/// All that this build knows. Those over a network are left out under `--offline`.
pub(crate) fn stores(global: &GlobalArgs) -> Stores {
    let schemes = ["s3", "gs", "az"];
    if global.offline {
        let reason = "--offline forbids stores over the network";
        return schemes.iter().fold(Stores::default(), |stores, scheme| {
            stores.without(scheme, reason)
        });
    }
    buckets::add(Stores::default(), global)
}

#[cfg(feature = "object-stores")]
mod buckets {
    use crate::args::GlobalArgs;
    use etcd_cat::source::{BUCKET_SCHEMES, BucketOptions, BucketStore, Store, Stores};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// What the variables begin with that say something about buckets.
    const PREFIXES: [&str; 5] = ["AWS_", "AZURE_", "BUCKET_", "GOOGLE_", "STORAGE_EMULATOR_"];

    pub(super) fn add(stores: Stores, global: &GlobalArgs) -> Stores {
        let args = &global.buckets;
        let buckets: Arc<dyn Store> = Arc::new(BucketStore::new(BucketOptions {
            endpoint: args.endpoint.clone(),
            region: args.region.clone(),
            is_path_style: args.path_style,
            ca_file: args.ca_file.clone(),
            is_unsigned: args.no_sign,
            environment: environment(),
        }));
        BUCKET_SCHEMES.iter().fold(stores, |stores, scheme| {
            stores.with(scheme, Arc::clone(&buckets))
        })
    }

    fn environment() -> BTreeMap<String, String> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| {
                name == "HOME" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            })
            .collect()
    }
}

#[cfg(not(feature = "object-stores"))]
mod buckets {
    use crate::args::GlobalArgs;
    use etcd_cat::source::Stores;

    pub(super) fn add(stores: Stores, _: &GlobalArgs) -> Stores {
        stores
    }
}
