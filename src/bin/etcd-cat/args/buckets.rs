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

impl BucketArgs {
    /// The same options as words of a command line. An endpoint that names a user is left out: it may hold a password.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let endpoint = self.endpoint.as_ref().filter(|url| !url.contains('@'));
        let ca_file = self.ca_file.as_ref().map(|path| path.display().to_string());
        for (option, value) in [
            ("--endpoint", endpoint.cloned()),
            ("--region", self.region.clone()),
            ("--ca-file", ca_file),
        ] {
            if let Some(value) = value {
                words.extend([option.to_owned(), value]);
            }
        }
        for (option, is_given) in [
            ("--path-style", self.path_style),
            ("--no-sign", self.no_sign),
        ] {
            if is_given {
                words.push(option.to_owned());
            }
        }
        words
    }
}
