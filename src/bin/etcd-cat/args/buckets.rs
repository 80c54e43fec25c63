//! How buckets are reached: what the environment does not say already.

use super::parse;
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// Options of every command that may read from a bucket, or write to one.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Buckets (s3://, gs://, az://)")]
pub(crate) struct BucketArgs {
    /// Ask this store, such as https://s3.example.com:9000 [default: that of the cloud]
    ///
    /// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the BUCKET_HOST and BUCKET_PORT of an ObjectBucketClaim say the same.
    #[arg(
        long,
        global = true,
        env = "ETCD_CAT_ENDPOINT",
        value_name = "URL",
        hide_env = true
    )]
    pub(crate) endpoint: Option<String>,

    /// The region of the bucket [default: AWS_REGION, the profile, us-east-1]
    #[arg(
        long,
        global = true,
        env = "ETCD_CAT_REGION",
        value_name = "NAME",
        hide_env = true
    )]
    pub(crate) region: Option<String>,

    /// Name the bucket in the path of URLs, not in the host; always so with --endpoint
    #[arg(long, global = true, env = "ETCD_CAT_PATH_STYLE", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) path_style: bool,

    /// Trust the CA certificates in this PEM file, besides those of the system
    #[arg(
        long,
        global = true,
        env = "ETCD_CAT_CA_FILE",
        value_name = "PATH",
        hide_env = true
    )]
    pub(crate) ca_file: Option<PathBuf>,

    /// Do not sign requests: for public buckets
    #[arg(long, global = true, env = "ETCD_CAT_NO_SIGN", action = ArgAction::SetTrue, value_parser = parse::switch, hide_env = true)]
    pub(crate) no_sign: bool,
}
