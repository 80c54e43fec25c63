//! Stored objects as the API server would print them: from the bytes at a storage key to fields with names.
//!
//! [`decode()`] turns a stored value, already decrypted, into an [`Object`]: built-in kinds and OpenShift's own by a
//! [table of their fields](schema), custom resources from their JSON. [`Masker`] takes out what is secret, [`clean()`]
//! what an `oc apply` does not want, and [`yaml`] and [`json`] print the rest. [`Place`] and [`Resources`] tell where
//! objects lie and what people call them. All of it works on bytes in memory; nothing reads a file or a cluster.
//!
//! A stored value is hostile: a length is compared before it is believed, nesting and the number of fields are
//! bounded, and whatever is wrong is an error for that object alone.

mod budget;
mod character;
mod clean;
mod decode;
mod defect;
mod definition;
pub mod json;
mod mask;
mod message;
mod place;
mod resource;
mod resources;
mod scalar;
pub mod schema;
mod serve;
mod special;
mod value;
pub mod yaml;

pub use clean::clean;
pub use decode::{Object, decode, list};
pub use defect::{DecodeDefect, DecodeError, MalformedMessage};
pub use definition::Definition;
pub use mask::{MaskOptions, Masker};
pub use place::Place;
pub use resource::{Resource, Scope};
pub use resources::{FindError, Resources};
pub use value::{Map, Masked, Value};
