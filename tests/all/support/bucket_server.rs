//! A small S3 in this process, with as much of Azure and Google as uploads need: it signs nothing and forgets everything,
//! but fails exactly as it is told to.
#![allow(
    dead_code,
    reason = "the tests inside the library and those outside use different parts of it"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The one bucket that there is.
pub(crate) const BUCKET: &str = "backups";
/// When everything was written, unless a test says otherwise.
pub(crate) const MODIFIED: u64 = 1_730_516_407;

/// Longer than anybody waits.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(600);

/// Serves until the process ends. Clones are the same server.
#[derive(Clone, Debug)]
pub(crate) struct BucketServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    /// Versions by key, the current one last.
    objects: BTreeMap<String, Vec<Stored>>,
    /// Parts by upload and number.
    uploads: BTreeMap<String, Upload>,
    /// Parts of Azure by key and name: nothing speaks for them yet.
    blocks: BTreeMap<(String, String), Vec<u8>>,
    faults: Vec<Fault>,
    asked: Vec<String>,
    page_size: usize,
    keeps_versions: bool,
    writes: u64,
    /// What its clock shows beyond the time, in seconds; without it, answers have no date.
    clock_ahead: Option<i64>,
    /// What it says beside its bucket, by method and path: services of identity and metadata.
    services: BTreeMap<String, Service>,
    /// In each request to the bucket this header begins with this.
    demanded: Option<(&'static str, String)>,
    /// It is Google: objects have generations, and an upload in parts has no condition.
    is_google: bool,
    /// It does not know how to begin a listing behind a key.
    begins_at_the_start: bool,
    /// Requests that are being answered, and the most that ever were.
    at_a_time: (usize, usize),
}

/// What is answered to whoever sends this header with this value, and whose query or body holds this.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) holds: Vec<String>,
    pub(crate) body: String,
}

/// What is said beside an object, under the name that each service has for it.
type Mark = (&'static str, String);

#[derive(Debug, Default)]
struct Upload {
    parts: BTreeMap<u32, Vec<u8>>,
    mark: Option<Mark>,
}

#[derive(Clone, Debug)]
struct Stored {
    bytes: Arc<Vec<u8>>,
    /// What was said beside it.
    mark: Option<Mark>,
    /// Headers that its answers have beside the others.
    said: Vec<(&'static str, String)>,
    tag: String,
    version: String,
    modified: u64,
    class: &'static str,
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// In which requests: this stands in `METHOD /target`.
    pub(crate) part: &'static str,
    pub(crate) what: What,
    /// How often.
    pub(crate) times: usize,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// This status, with this code in the body.
    Status(u16, &'static str),
    /// This status, with this header and this body.
    Says(u16, (&'static str, &'static str), &'static str),
    /// The connection breaks after so many bytes of the body.
    CutAfter(usize),
    /// The object is replaced by these bytes before the answer.
    Replace(Vec<u8>),
    /// After so many bytes of the body nothing more comes, and the connection stays.
    SilentAfter(usize),
    /// The answer does not name the object by its tag.
    NoTag,
    /// The range that was asked for is not heeded.
    NoRange,
    /// A range from elsewhere, under the right name or the wrong one.
    OtherRange,
    /// Fewer bytes than the answer names, or more.
    Short,
    Long,
    /// The answer is late.
    Late(std::time::Duration),
    /// It is done, and the connection breaks before the answer.
    Lost,
    /// Other bytes are stored than were sent.
    Alter,
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

#[derive(Default)]
struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    is_head: bool,
    is_lost: bool,
    cut_after: Option<usize>,
    /// Not cut, but left alone.
    is_silent: bool,
}

impl BucketServer {
    /// Listens on a port of its own.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let shared = Shared {
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            blocks: BTreeMap::new(),
            faults: Vec::new(),
            asked: Vec::new(),
            page_size: 1000,
            keeps_versions: false,
            writes: 0,
            clock_ahead: None,
            services: BTreeMap::new(),
            demanded: None,
            is_google: false,
            begins_at_the_start: false,
            at_a_time: (0, 0),
        };
        let server = Self {
            address,
            shared: Arc::new(Mutex::new(shared)),
        };
        let clone = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = clone.clone();
                // Clients leave when they like.
                std::thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object, over the one of the same key.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.put_as(key, bytes, "STANDARD", MODIFIED);
    }

    pub(crate) fn put_as(&self, key: &str, bytes: &[u8], class: &'static str, modified: u64) {
        self.shared().put(key, bytes.to_vec(), class, modified);
    }

    /// Puts every file below a directory.
    pub(crate) fn put_tree(&self, directory: &std::path::Path, prefix: &str) {
        for entry in std::fs::read_dir(directory).expect("can be listed") {
            let path = entry.expect("can be listed").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("text");
            let key = format!("{prefix}{name}");
            if path.is_dir() {
                self.put_tree(&path, &format!("{key}/"));
            } else {
                self.put(&key, &std::fs::read(&path).expect("can be read"));
            }
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        Some(self.shared().objects.get(key)?.last()?.bytes.to_vec())
    }

    /// What lies there is told with these headers from now on.
    pub(crate) fn say(&self, key: &str, headers: &[(&'static str, &str)]) {
        let said = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let mut shared = self.shared();
        let stored = shared.objects.get_mut(key).and_then(|all| all.last_mut());
        stored.expect("lies there").said = said.collect();
    }

    /// What lies there goes into the archive, and stays the same object.
    pub(crate) fn archive(&self, key: &str) {
        let mut shared = self.shared();
        let stored = shared.objects.get_mut(key).and_then(|all| all.last_mut());
        stored.expect("lies there").class = "GLACIER";
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.shared().objects.keys().cloned().collect()
    }

    pub(crate) fn remove(&self, key: &str) {
        self.shared().objects.remove(key);
    }

    pub(crate) fn fail(&self, part: &'static str, what: What, times: usize) {
        self.shared().faults.push(Fault { part, what, times });
    }

    /// Nothing fails any more.
    pub(crate) fn mend(&self) {
        self.shared().faults.clear();
    }

    /// Does it keep versions?
    pub(crate) fn keeps(&self) -> bool {
        self.shared().keeps_versions
    }

    /// From now on answers have a date, so many seconds ahead of the time.
    pub(crate) fn tell_time(&self, ahead: i64) {
        self.shared().clock_ahead = Some(ahead);
    }

    /// From now on a request such as `GET /token` is answered with this, whatever the query.
    pub(crate) fn offer(&self, request: &str, service: Service) {
        self.shared().services.insert(request.to_owned(), service);
    }

    /// From now on whoever does not send a header that begins so may neither list, read nor write.
    pub(crate) fn demand(&self, header: &'static str, beginning: &str) {
        self.shared().demanded = Some((header, beginning.to_owned()));
    }

    /// From now on it speaks as Google does.
    pub(crate) fn speak_as_google(&self) {
        self.shared().is_google = true;
    }

    /// From now on listings begin at the start, wherever they were to begin.
    pub(crate) fn begin_at_the_start(&self) {
        self.shared().begins_at_the_start = true;
    }

    /// The most requests that were answered at a time.
    pub(crate) fn most_at_a_time(&self) -> usize {
        self.shared().at_a_time.1
    }

    /// How many entries a page of a listing has.
    pub(crate) fn page_size(&self, entries: usize) {
        self.shared().page_size = entries;
    }

    /// From now on what is replaced stays, under its version.
    pub(crate) fn keep_versions(&self) {
        self.shared().keeps_versions = true;
    }

    /// Uploads that were begun and neither ended nor given up.
    pub(crate) fn open_uploads(&self) -> usize {
        self.shared().uploads.len()
    }

    /// What was asked since this was asked last: `METHOD /target`, and the range.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared().asked)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers on one connection until it ends.
    pub(crate) fn serve(&self, stream: impl Read + Write) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            self.shared().count(1);
            let response = self.answer(&request);
            self.shared().count(-1);
            if response.write(reader.get_mut()).is_none() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let fault = self.shared().note(request);
        let mut response = match &fault {
            Some(What::Status(status, code)) => Response::error(*status, code),
            Some(What::Says(status, (name, value), body)) => {
                let mut response = Response::of(*status, body.as_bytes().to_vec());
                response.headers.push((name, (*value).to_owned()));
                response
            }
            Some(What::Late(time)) => {
                std::thread::sleep(*time);
                self.shared().answer(request, None)
            }
            fault => self.shared().answer(request, fault.as_ref()),
        };
        response.is_head = request.method == "HEAD";
        if let Some(ahead) = self.shared().clock_ahead {
            let there = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead);
            let date = there.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            response.headers.push(("date", date));
        }
        match fault {
            Some(What::CutAfter(bytes)) => response.cut_after = Some(bytes),
            Some(What::SilentAfter(bytes)) => {
                response.cut_after = Some(bytes);
                response.is_silent = true;
            }
            Some(What::NoTag) => response.headers.retain(|(name, _)| *name != "etag"),
            Some(What::Lost) => response.is_lost = true,
            _ => {}
        }
        response
    }
}

impl Shared {
    fn put(&mut self, key: &str, bytes: Vec<u8>, class: &'static str, modified: u64) {
        self.writes += 1;
        let stored = Stored {
            mark: None,
            said: Vec::new(),
            tag: format!("{:016x}{:016x}", self.writes, bytes.len()),
            version: match self.is_google {
                true => (1_700_000_000_000_000 + self.writes).to_string(),
                false => format!("v{}", self.writes),
            },
            bytes: Arc::new(bytes),
            modified,
            class,
        };
        let versions = self.objects.entry(key.to_owned()).or_default();
        if !self.keeps_versions {
            versions.clear();
        }
        versions.push(stored);
    }

    fn count(&mut self, more: isize) {
        let (now, most) = &mut self.at_a_time;
        *now = now.saturating_add_signed(more);
        *most = *now.max(most);
    }

    fn note(&mut self, request: &Request) -> Option<What> {
        let mut line = format!("{} {}", request.method, request.path);
        for (name, value) in &request.query {
            let _ = write!(line, " {name}={value}");
        }
        if let Some(range) = request.headers.get("range") {
            let _ = write!(line, " {range}");
        }
        let fault = self
            .faults
            .iter_mut()
            .find(|fault| fault.times > 0 && line.contains(fault.part))
            .map(|fault| {
                fault.times -= 1;
                fault.what.clone()
            });
        self.asked.push(line);
        fault
    }

    fn answer(&mut self, request: &Request, fault: Option<&What>) -> Response {
        let named = format!("{} {}", request.method, request.path);
        if let Some(service) = self.services.get(&named) {
            return service.answer(request);
        }
        if let Some((name, beginning)) = &self.demanded
            && !request.has(name, |value| value.starts_with(beginning))
        {
            return Response::error(403, "AccessDenied");
        }
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if bucket != BUCKET {
            return Response::error(404, "NoSuchBucket");
        }
        match (request.method.as_str(), key) {
            ("GET", "") => self.list(request),
            ("GET" | "HEAD", key) => self.read(key, request, fault),
            ("PUT" | "POST" | "DELETE", key) => {
                if let Some(What::Replace(bytes)) = fault {
                    self.put(key, bytes.clone(), "STANDARD", MODIFIED);
                }
                let response = self.write(key, request);
                if let Some(What::Alter) = fault {
                    self.alter(key);
                }
                response
            }
            _ => Response::error(405, "MethodNotAllowed"),
        }
    }

    fn list_azure(&self, request: &Request) -> Response {
        let prefix = request.query.get("prefix").map_or("", String::as_str);
        let is_flat = request.query.contains_key("delimiter");
        let after = request.query.get("marker");
        let mut xml = "<?xml version=\"1.0\"?><EnumerationResults><Blobs>".to_owned();
        // Directories stand among the blobs, in their order.
        let (mut count, mut last, mut more) = (0, String::new(), "");
        for (key, versions) in &self.objects {
            let (Some(rest), Some(stored)) = (key.strip_prefix(prefix), versions.last()) else {
                continue;
            };
            let directory = rest.split_once('/').filter(|_| is_flat);
            let name = directory.map_or(key.clone(), |(name, _)| format!("{prefix}{name}/"));
            if name == last || after.is_some_and(|after| name <= *after) {
                continue;
            }
            if count == self.page_size {
                more = &last;
                break;
            }
            (count, last) = (count + 1, name);
            let name = escaped(&last);
            if directory.is_some() {
                let _ = write!(xml, "<BlobPrefix><Name>{name}</Name></BlobPrefix>");
                continue;
            }
            let modified = time(stored.modified).format("%a, %d %b %Y %H:%M:%S GMT");
            let _ = write!(
                xml,
                "<Blob><Name>{name}</Name><Properties><Last-Modified>{modified}</Last-Modified><Etag>{}</Etag><Content-Length>{}</Content-Length></Properties></Blob>",
                stored.tag,
                stored.bytes.len(),
            );
        }
        let more = escaped(more);
        let _ = write!(
            xml,
            "</Blobs><NextMarker>{more}</NextMarker></EnumerationResults>"
        );
        Response::of(200, xml.into_bytes())
    }

    fn list(&self, request: &Request) -> Response {
        if request.query.get("comp").is_some_and(|comp| comp == "list") {
            return self.list_azure(request);
        }
        let query = |name: &str| request.query.get(name).map_or("", String::as_str);
        let (prefix, token) = (query("prefix"), query("continuation-token"));
        let after = match (token, self.begins_at_the_start) {
            ("", false) => query("start-after"),
            (token, _) => token,
        };
        let is_flat = query("delimiter") == "/";
        let mut keys = self.objects.iter().filter(|(key, _)| {
            let rest = key.strip_prefix(prefix);
            key.as_str() > after && rest.is_some_and(|rest| !is_flat || !rest.contains('/'))
        });
        let page: Vec<_> = keys.by_ref().take(self.page_size).collect();
        let mut xml = "<?xml version=\"1.0\"?><ListBucketResult><Name>backups</Name>".to_owned();
        for (key, versions) in &page {
            let Some(stored) = versions.last() else {
                continue;
            };
            let _ = write!(
                xml,
                "<Contents><Key>{}</Key>{}<LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>{}</StorageClass>{}</Contents>",
                escaped(key),
                match self.is_google {
                    true => format!("<Generation>{}</Generation>", stored.version),
                    false => String::new(),
                },
                time(stored.modified).to_rfc3339(),
                stored.tag,
                stored.bytes.len(),
                stored.class,
                match stored.is_restored() {
                    true =>
                        "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2099-01-01T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>",
                    false => "",
                }
            );
        }
        // Of all directories at once.
        let mut directories = std::collections::BTreeSet::new();
        for key in self.objects.keys().filter(|_| is_flat) {
            let rest = key.strip_prefix(prefix);
            let directory = rest.and_then(|rest| rest.split_once('/'));
            directories.extend(directory.map(|(name, _)| format!("{prefix}{name}/")));
        }
        for directory in directories {
            let _ = write!(
                xml,
                "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                escaped(&directory)
            );
        }
        let more = keys.next().is_some();
        if let (true, Some((last, _))) = (more, page.last()) {
            let _ = write!(
                xml,
                "<NextContinuationToken>{}</NextContinuationToken>",
                escaped(last)
            );
        }
        let _ = write!(xml, "<IsTruncated>{more}</IsTruncated></ListBucketResult>");
        Response::of(200, xml.into_bytes())
    }

    fn read(&mut self, key: &str, request: &Request, fault: Option<&What>) -> Response {
        if let Some(What::Replace(bytes)) = fault {
            self.put(key, bytes.clone(), "STANDARD", MODIFIED);
        }
        let name = match self.is_google {
            true => "generation",
            false => "versionId",
        };
        let version = request.query.get(name);
        let versions = self.objects.get(key).map_or(&[][..], Vec::as_slice);
        let wanted = match version {
            Some(version) => versions.iter().find(|stored| stored.version == *version),
            None => versions.last(),
        };
        let Some(stored) = wanted else {
            return Response::error(404, "NoSuchKey");
        };
        let condition = request.headers.get("if-match");
        if condition.is_some_and(|tag| tag.trim_matches('"') != stored.tag) {
            return Response::error(412, "PreconditionFailed");
        }
        if request.method == "GET" && stored.class == "GLACIER" && !stored.is_restored() {
            return Response::error(403, "InvalidObjectState");
        }
        let whole = stored.bytes.as_slice();
        let range = request.headers.get("range").and_then(|range| {
            let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
            let end = end.parse::<usize>().ok()?.min(whole.len().checked_sub(1)?);
            Some((start.parse::<usize>().ok()?, end))
        });
        let mut response = match (range, fault) {
            (Some((start, end)), fault) if !matches!(fault, Some(What::NoRange)) => {
                let Some(part) = whole.get(start..=end) else {
                    return Response::error(416, "InvalidRange");
                };
                let shift = usize::from(matches!(fault, Some(What::OtherRange)));
                let body = match fault {
                    Some(What::Short) => {
                        part.iter().take(part.len().div_ceil(2)).copied().collect()
                    }
                    Some(What::Long) => [part, b"more"].concat(),
                    _ => part.to_vec(),
                };
                let mut response = Response::of(206, body);
                let range = format!("bytes {}-{}/{}", start + shift, end + shift, whole.len());
                response.headers.push(("content-range", range));
                response
            }
            _ => Response::of(200, whole.to_vec()),
        };
        response.headers.extend(stored.mark.clone());
        response.headers.extend(stored.said.clone());
        let modified = time(stored.modified).format("%a, %d %b %Y %H:%M:%S GMT");
        response
            .headers
            .push(("etag", format!("\"{}\"", stored.tag)));
        response
            .headers
            .push(("last-modified", modified.to_string()));
        let version = match (self.is_google, self.keeps_versions) {
            (true, _) => Some("x-goog-generation"),
            (false, true) => Some("x-amz-version-id"),
            (false, false) => None,
        };
        let version = version.map(|name| (name, stored.version.clone()));
        response.headers.extend(version);
        response
    }

    /// The last word of an upload to Azure: all that it does not name goes.
    fn speak_for(&mut self, key: &str, list: &[u8], mark: Option<Mark>) -> Response {
        let list = String::from_utf8_lossy(list).into_owned();
        let names = list.split("<Latest>").skip(1);
        let names = names.filter_map(|rest| rest.split_once("</Latest>"));
        let mut bytes = Vec::new();
        for (name, _) in names {
            let Some(block) = self.blocks.get(&(key.to_owned(), name.to_owned())) else {
                return Response::error(400, "InvalidBlockList");
            };
            bytes.extend_from_slice(block);
        }
        self.blocks.retain(|(other, _), _| other != key);
        self.put(key, bytes, "STANDARD", MODIFIED);
        self.mark(key, mark);
        Response::of(201, Vec::new())
    }

    /// Takes one bit of what lies under a key for another.
    fn alter(&mut self, key: &str) {
        if let Some(stored) = self.objects.get_mut(key).and_then(|all| all.last_mut()) {
            let bytes = Arc::make_mut(&mut stored.bytes);
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 1;
            }
        }
    }

    /// What was written last under a key gets what was said beside it.
    fn mark(&mut self, key: &str, mark: Option<Mark>) {
        if let Some(stored) = self.objects.get_mut(key).and_then(|all| all.last_mut()) {
            stored.mark = mark;
        }
    }

    fn write(&mut self, key: &str, request: &Request) -> Response {
        let names = [
            "x-amz-meta-etcd-cat",
            "x-goog-meta-etcd-cat",
            "x-ms-meta-etcdcat",
        ];
        let mut marks = names.iter().filter_map(|name| {
            let mark = request.headers.get(*name)?;
            Some((*name, mark.clone()))
        });
        let mark = marks.next();
        let name = request.query.get("blockid");
        let is_taken = self.objects.contains_key(key);
        let has =
            |name: &str, value: &str| request.headers.get(name).is_some_and(|one| one == value);
        let upload = request.query.get("uploadId").cloned();
        let is_new_only = match self.is_google {
            true => has("x-goog-if-generation-match", "0") && upload.is_none(),
            false => has("if-none-match", "*") || has("x-goog-if-generation-match", "0"),
        };
        let part = request
            .query
            .get("partNumber")
            .and_then(|part| part.parse().ok());
        match request.query.get("comp").map(String::as_str) {
            Some("block") => {
                let name = (key.to_owned(), name.cloned().unwrap_or_default());
                self.blocks.insert(name, request.body.clone());
                return Response::of(201, Vec::new());
            }
            Some("blocklist") if is_new_only && is_taken => {
                return Response::error(409, "BlobAlreadyExists");
            }
            Some("blocklist") => return self.speak_for(key, &request.body, mark),
            _ => {}
        }
        match (request.method.as_str(), upload, part) {
            ("POST", None, _) => {
                self.writes += 1;
                let upload = format!("u{}", self.writes);
                let xml = format!(
                    "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
                );
                let parts = BTreeMap::new();
                self.uploads.insert(upload, Upload { parts, mark });
                Response::of(200, xml.into_bytes())
            }
            ("PUT", Some(upload), Some(part)) => {
                let Some(upload) = self.uploads.get_mut(&upload) else {
                    return Response::error(404, "NoSuchUpload");
                };
                upload.parts.insert(part, request.body.clone());
                let mut response = Response::of(200, Vec::new());
                response.headers.push(("etag", format!("\"p{part}\"")));
                response
            }
            ("POST", Some(_), _) | ("PUT", None, _)
                if is_new_only && self.objects.contains_key(key) =>
            {
                Response::error(412, "PreconditionFailed")
            }
            ("POST", Some(upload), _) => {
                let Some(upload) = self.uploads.remove(&upload) else {
                    return Response::error(404, "NoSuchUpload");
                };
                let bytes = upload.parts.into_values().flatten().collect();
                self.put(key, bytes, "STANDARD", MODIFIED);
                self.mark(key, upload.mark);
                Response::of(200, b"<CompleteMultipartUploadResult/>".to_vec())
            }
            ("DELETE", Some(upload), _) => {
                self.uploads.remove(&upload);
                Response::of(204, Vec::new())
            }
            ("DELETE", None, _) => {
                self.objects.remove(key);
                Response::of(204, Vec::new())
            }
            ("PUT", None, _) => {
                self.put(key, request.body.clone(), "STANDARD", MODIFIED);
                self.mark(key, mark);
                Response::of(200, Vec::new())
            }
            _ => Response::error(405, "MethodNotAllowed"),
        }
    }
}

impl Stored {
    /// Of an archived object there is a copy for some days.
    fn is_restored(&self) -> bool {
        self.said.iter().any(|(name, _)| *name == "x-amz-restore")
    }
}

impl Service {
    fn answer(&self, request: &Request) -> Response {
        let mut asked = decoded(&String::from_utf8_lossy(&request.body));
        for (name, value) in &request.query {
            let _ = write!(asked, "&{name}={value}");
        }
        let is_asked_well = self.holds.iter().all(|part| asked.contains(part));
        let header = self.header.as_ref();
        let is_known = header.is_none_or(|(name, value)| request.has(name, |one| one == value));
        match is_asked_well && is_known {
            true => Response::of(200, self.body.clone().into_bytes()),
            false => Response::error(401, "Unauthorized"),
        }
    }
}

impl Request {
    fn has(&self, name: &str, is: impl Fn(&str) -> bool) -> bool {
        self.headers.get(name).is_some_and(|value| is(value))
    }

    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers
            .get("content-length")
            .and_then(|text| text.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        // Through a proxy the whole URL is asked for.
        let origin = target.strip_prefix("http://");
        let target = match origin.and_then(|rest| rest.split_once('/')) {
            Some((_, path)) => format!("/{path}"),
            None => target,
        };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let path = decoded(path);
        Some(Self {
            method,
            path,
            query,
            headers,
            body,
        })
    }
}

impl Response {
    fn of(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            ..Self::default()
        }
    }

    fn error(status: u16, code: &str) -> Self {
        let xml = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>"
        );
        Self::of(status, xml.into_bytes())
    }

    /// `None` when the connection is to break.
    fn write(&self, stream: &mut impl Write) -> Option<()> {
        if self.is_lost {
            return None;
        }
        let mut head = format!(
            "HTTP/1.1 {} X\r\ncontent-length: {}\r\n",
            self.status,
            self.body.len()
        );
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        if !self.is_head {
            let length = self.cut_after.unwrap_or(usize::MAX).min(self.body.len());
            stream.write_all(self.body.get(..length)?).ok()?;
        }
        stream.flush().ok()?;
        if self.is_silent {
            std::thread::sleep(SILENCE);
        }
        self.cut_after.is_none().then_some(())
    }
}

fn time(seconds: u64) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(seconds.cast_signed(), 0).expect("in the calendar")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            let digits = std::str::from_utf8(&digits).unwrap_or("");
            bytes.push(u8::from_str_radix(digits, 16).expect("well encoded"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("text")
}
