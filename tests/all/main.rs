//! Every test that looks at etcd-cat from outside, in one program: themes as modules, what they share in `support`.

mod catalogue;
mod cli;
mod cli_output;
mod damage;
mod documents;
mod faults;
mod fleet;
mod fleet_proof;
mod fuzz;
mod hostile;
mod inside;
mod kuberesources;
mod layers;
mod limits;
mod objects;
mod oc;
mod oracle;
mod reading;
mod real_etcd;
mod real_snapshots;
mod restore;
mod support;
mod watch;
