//! Any bytes, decoded as a stored object, masked, cleaned and printed.
#![no_main]

use etcd_cat::objects::{self, MaskOptions, Masker, json, yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(object) = objects::decode(bytes) {
        let mut object = object.served(1);
        Masker::new(MaskOptions { config_maps: true }).mask(&mut object);
        objects::clean(&mut object);
        let _ = (json::print(&object.fields), yaml::print(&object.fields));
    }
});
