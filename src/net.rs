//! The one way out: an HTTP client for addresses that other parties named (key sets, tokens, services, registrations).
//!
//! Guarded against server-side request forgery: https only, checked addresses only (the address that was checked is
//! the one that is connected to), no redirects, no proxy, short time limits, small bodies. What an operator's own LMS
//! needs on a private network is named in [`FetchAllow`]. Errors carry no body and no reason phrase: platforms put
//! personal data into both.

use std::{
    error::Error as _,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Method,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, LINK, RETRY_AFTER},
};
use url::{Host, Url};

/// The longest body that is read, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(8);
const USER_AGENT: &str = concat!("passmuster/", env!("CARGO_PKG_VERSION"));

/// An entry of the allow-list that is no host name, address or network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no host name, address or network: write localhost, 127.0.0.1 or 10.0.0.0/8")]
pub struct FetchAllowError(pub String);

/// Hosts and networks on private ranges that may be talked to: `localhost,127.0.0.1,10.0.0.0/8`. Empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchAllow {
    hosts: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

impl FromStr for FetchAllow {
    type Err = FetchAllowError;

    fn from_str(text: &str) -> Result<Self, FetchAllowError> {
        let mut allow = Self::default();
        for entry in text.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            let bad = || FetchAllowError(entry.to_owned());
            let (base, bits) = match entry.split_once('/') {
                Some((base, bits)) => (base, Some(bits.parse::<u8>().map_err(|_| bad())?)),
                None => (entry, None),
            };
            let literal = base.trim_start_matches('[').trim_end_matches(']');
            if let Ok(ip) = literal.parse::<IpAddr>() {
                let width = if ip.is_ipv4() { 32 } else { 128 };
                let bits = bits.unwrap_or(width);
                if bits > width {
                    return Err(bad());
                }
                allow.networks.push((ip, bits));
            } else {
                let host = Host::parse(base).map_err(|_| bad())?.to_string();
                if bits.is_some() {
                    return Err(bad());
                }
                allow.hosts.push(plain_name(&host));
            }
        }
        Ok(allow)
    }
}

impl FetchAllow {
    fn names(&self, host: &str) -> bool {
        self.hosts.contains(&plain_name(host))
    }

    fn covers(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.networks
            .iter()
            .any(|(net, bits)| same_network(*net, ip, *bits))
    }

    /// Whether a connection to `ip` is all right, reached by name or written out.
    fn permits(&self, ip: IpAddr) -> bool {
        is_public(ip) || self.covers(ip)
    }
}

/// Lower case, without the root's dot.
fn plain_name(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn same_network(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let wide = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, true),
        IpAddr::V6(v6) => (u128::from(v6), false),
    };
    let ((a, a4), (b, b4)) = (wide(a), wide(b));
    let shift = 128 - u32::from(bits);
    a4 == b4 && (shift == 128 || a >> shift == b >> shift)
}

/// Whether an address is of the public internet (IANA special-purpose registries).
fn is_public(ip: IpAddr) -> bool {
    const SPECIAL_V4: &[([u8; 4], u8)] = &[
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 3),
    ];
    // Only 2000::/3 is unicast for all: loopback, mapped, NAT64, unique local, link-local and multicast lie outside.
    const SPECIAL_V6: &[(Ipv6Addr, u8)] = &[
        (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
        (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    ];
    match ip {
        IpAddr::V4(_) => !SPECIAL_V4
            .iter()
            .any(|(net, bits)| same_network(Ipv4Addr::from(*net).into(), ip, *bits)),
        IpAddr::V6(v6) => {
            v6.segments()[0] >> 13 == 1
                && !SPECIAL_V6
                    .iter()
                    .any(|(net, bits)| same_network((*net).into(), ip, *bits))
        }
    }
}

/// Why nothing was fetched. Never holds a body, a reason phrase or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not https, and not http on an allowed loopback host.
    #[error("the address is not https")]
    NotHttps,
    /// No host, a user name, or something that cannot be put into a request.
    #[error("the address or the request is malformed")]
    BadRequest,
    /// A port other than 443 on a host that is not on the allow-list.
    #[error("the port is not allowed")]
    ForbiddenPort,
    /// A private, local or otherwise special address that is not on the allow-list.
    #[error("the address is on a network that this server may not call")]
    ForbiddenAddress,
    /// The name is not known.
    #[error("the host name does not resolve")]
    UnknownHost,
    /// No connection, or no trusted certificate.
    #[error("the host cannot be reached, or its certificate is not trusted")]
    Unreachable,
    /// Too slow.
    #[error("the host took too long")]
    Timeout,
    /// A body over [`MAX_BODY`].
    #[error("the answer is too large")]
    TooLarge,
    /// The connection broke, or the answer is no HTTP.
    #[error("the answer broke off or is no HTTP")]
    Broken,
    /// The client could not be made.
    #[error("the HTTP client cannot start")]
    Setup,
}

impl FetchError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotHttps => "fetch.not_https",
            Self::BadRequest => "fetch.bad_request",
            Self::ForbiddenPort => "fetch.forbidden_port",
            Self::ForbiddenAddress => "fetch.forbidden_address",
            Self::UnknownHost => "fetch.unknown_host",
            Self::Unreachable => "fetch.unreachable",
            Self::Timeout => "fetch.timeout",
            Self::TooLarge => "fetch.too_large",
            Self::Broken => "fetch.broken",
            Self::Setup => "fetch.setup",
        }
    }

    /// Whether a later try may succeed without anybody changing a setting.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::UnknownHost | Self::Unreachable | Self::Timeout | Self::Broken
        )
    }

    fn from_reqwest(e: &reqwest::Error) -> Self {
        let mut cause = e.source();
        while let Some(c) = cause {
            if let Some(ours) = c.downcast_ref::<Self>() {
                return *ours;
            }
            cause = c.source();
        }
        if e.is_timeout() {
            Self::Timeout
        } else if e.is_builder() {
            Self::BadRequest
        } else if e.is_connect() {
            Self::Unreachable
        } else {
            Self::Broken
        }
    }
}

/// Resolves a name and lets only permitted addresses through, so that what was checked is what is connected to.
struct CheckedDns(Arc<FetchAllow>);

impl Resolve for CheckedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.0.clone();
        Box::pin(async move {
            let host = plain_name(name.as_str());
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0))
                .await
                .map_err(|_| FetchError::UnknownHost)?
                .collect();
            if found.is_empty() {
                return Err(FetchError::UnknownHost.into());
            }
            let good = permitted(&allow, &host, found);
            if good.is_empty() {
                return Err(FetchError::ForbiddenAddress.into());
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

fn permitted(allow: &FetchAllow, host: &str, mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if is_local_name(host) {
        // Plain http may go there: whatever the hosts file says, it stays on this machine.
        found.retain(|a| a.ip().to_canonical().is_loopback());
    }
    if !allow.names(host) {
        found.retain(|a| allow.permits(a.ip()));
    }
    found
}

fn is_local_name(host: &str) -> bool {
    let host = plain_name(host);
    host == "localhost" || host.ends_with(".localhost")
}

/// Checks everything of an address that can be told without asking the name server. Literal addresses are checked
/// here, as no resolver is asked about them.
fn check_url(allow: &FetchAllow, url: &Url) -> Result<(), FetchError> {
    let host = url.host().ok_or(FetchError::BadRequest)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::BadRequest);
    }
    let (ip, named) = match host {
        Host::Domain(name) => (None, allow.names(name)),
        Host::Ipv4(ip) => (Some(IpAddr::V4(ip)), allow.covers(ip.into())),
        Host::Ipv6(ip) => (Some(IpAddr::V6(ip)), allow.covers(ip.into())),
    };
    let loopback = match (ip, url.domain()) {
        (Some(ip), _) => ip.to_canonical().is_loopback(),
        (None, name) => name.is_some_and(is_local_name),
    };
    match url.scheme() {
        "https" => {}
        "http" if named && loopback => {}
        _ => return Err(FetchError::NotHttps),
    }
    if ip.is_some_and(|ip| !allow.permits(ip)) {
        return Err(FetchError::ForbiddenAddress);
    }
    if !named && url.port_or_known_default() != Some(443) {
        return Err(FetchError::ForbiddenPort);
    }
    Ok(())
}

/// One request.
#[derive(Clone)]
pub struct Request<'a> {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: Method,
    /// Where to.
    pub url: &'a Url,
    /// Exactly one media type.
    pub accept: &'a str,
    /// An access token: sent as it is, never logged.
    pub bearer: Option<&'a str>,
    /// Media type and body.
    pub body: Option<(&'a str, &'a [u8])>,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

/// An answer of any status. The reason phrase is not kept; `Debug` leaves the body out.
#[derive(Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body, at most [`MAX_BODY`].
    pub body: Bytes,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `Link`, one entry for each header line.
    pub link: Vec<String>,
    /// `Cache-Control`, lines joined.
    pub cache_control: Option<String>,
    /// `X-Rate-Limit-Remaining` (Canvas).
    pub rate_limit_remaining: Option<String>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Any 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// The guarded client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    allow: Arc<FetchAllow>,
}

impl Fetcher {
    /// A client that may call the public internet, and what `allow` names.
    pub fn new(allow: FetchAllow) -> Result<Self, FetchError> {
        let allow = Arc::new(allow);
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .dns_resolver(CheckedDns(allow.clone()))
            .build()
            .map_err(|_| FetchError::Setup)?;
        Ok(Self { client, allow })
    }

    /// Gets `url`, asking for exactly one media type.
    pub async fn get(&self, url: &Url, accept: &str) -> Result<Response, FetchError> {
        self.send(&Request {
            method: Method::GET,
            url,
            accept,
            bearer: None,
            body: None,
        })
        .await
    }

    /// Posts `body` to `url`.
    pub async fn post(
        &self,
        url: &Url,
        content_type: &str,
        accept: &str,
        bearer: Option<&str>,
        body: &[u8],
    ) -> Result<Response, FetchError> {
        self.send(&Request {
            method: Method::POST,
            url,
            accept,
            bearer,
            body: Some((content_type, body)),
        })
        .await
    }

    /// Sends a request, and reads the answer whatever its status.
    pub async fn send(&self, request: &Request<'_>) -> Result<Response, FetchError> {
        check_url(&self.allow, request.url)?;
        let mut builder = self
            .client
            .request(request.method.clone(), request.url.clone())
            .header(ACCEPT, request.accept);
        if let Some(token) = request.bearer {
            builder = builder.bearer_auth(token);
        }
        if let Some((content_type, body)) = request.body {
            builder = builder
                .header(CONTENT_TYPE, content_type)
                .body(body.to_vec());
        }
        let broken = |e: reqwest::Error| FetchError::from_reqwest(&e);
        let mut answer = builder.send().await.map_err(broken)?;
        let headers = answer.headers();
        let rate_limit = HeaderName::from_static("x-rate-limit-remaining");
        let mut response = Response {
            status: answer.status().as_u16(),
            body: Bytes::new(),
            retry_after: lines(headers, &RETRY_AFTER).pop(),
            link: lines(headers, &LINK),
            cache_control: joined(headers, &CACHE_CONTROL),
            rate_limit_remaining: lines(headers, &rate_limit).pop(),
        };
        if answer.content_length().is_some_and(|n| n > MAX_BODY as u64) {
            return Err(FetchError::TooLarge);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        response.body = body.into();
        Ok(response)
    }
}

/// Header lines as text; Moodle's `Link` holds typographic quotes, which are not ASCII.
fn lines(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
        .collect()
}

fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let all = lines(headers, name);
    (!all.is_empty()).then(|| all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lti::testing::{Server, fetcher};

    fn allow(text: &str) -> FetchAllow {
        text.parse().unwrap()
    }

    fn check(list: &str, url: &str) -> Result<(), FetchError> {
        check_url(&allow(list), &Url::parse(url).unwrap())
    }

    #[test]
    fn special_addresses_are_not_public() {
        for ip in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "100::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "8.8.8.8",
            "100.63.255.255",
            "172.32.0.1",
            "192.167.0.1",
            "223.255.255.255",
            "2606:4700::1111",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn the_allow_list_reads_hosts_addresses_and_networks() {
        let a = allow(" LocalHost., 127.0.0.1,10.0.0.0/8 ,[::1],fd00::/8,lms.corp,");
        assert!(a.names("localhost") && a.names("LMS.corp.") && !a.names("corp"));
        for (ip, covered) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("::ffff:10.0.0.1", true),
            ("::1", true),
            ("fd33::1", true),
            ("fe80::1", false),
            ("::a00:1", false),
        ] {
            assert_eq!(a.covers(ip.parse().unwrap()), covered, "{ip}");
        }
        assert!(allow("0.0.0.0/0").covers("1.2.3.4".parse().unwrap()));
        for bad in ["10.0.0.0/33", "::/129", "lms/8", "a b", "10.0.0.0/x"] {
            assert!(bad.parse::<FetchAllow>().is_err(), "{bad}");
        }
        assert_eq!(allow(""), FetchAllow::default());
    }

    #[test]
    fn addresses_are_judged_before_anything_is_sent() {
        use FetchError as E;
        #[rustfmt::skip]
        let cases = [
            ("", "https://lms.example/jwks", Ok(())),
            ("", "http://lms.example/jwks", Err(E::NotHttps)),
            ("", "file:///etc/passwd", Err(E::BadRequest)),
            ("", "ftp://lms.example/", Err(E::NotHttps)),
            ("", "https://lms.example:8443/", Err(E::ForbiddenPort)),
            ("lms.example", "https://lms.example:8443/", Ok(())),
            ("lms.example", "http://lms.example/", Err(E::NotHttps)),
            ("", "https://user@lms.example/", Err(E::BadRequest)),
            ("", "https://:pw@lms.example/", Err(E::BadRequest)),
            ("", "https://127.0.0.1/", Err(E::ForbiddenAddress)),
            ("", "https://2130706433/", Err(E::ForbiddenAddress)),
            ("", "https://0x7f.1/", Err(E::ForbiddenAddress)),
            ("", "https://017700000001/", Err(E::ForbiddenAddress)),
            ("", "https://[::1]/", Err(E::ForbiddenAddress)),
            ("", "https://[::ffff:10.0.0.1]/", Err(E::ForbiddenAddress)),
            ("", "https://[64:ff9b::a00:1]/", Err(E::ForbiddenAddress)),
            ("", "https://169.254.169.254/latest/meta-data", Err(E::ForbiddenAddress)),
            ("10.0.0.0/8", "https://10.1.2.3:8443/", Ok(())),
            ("10.0.0.0/8", "http://10.1.2.3/", Err(E::NotHttps)),
            ("10.0.0.0/8", "https://192.168.0.1/", Err(E::ForbiddenAddress)),
            ("127.0.0.1", "http://127.0.0.1:8088/x", Ok(())),
            ("127.0.0.1", "http://127.0.0.2:8088/x", Err(E::NotHttps)),
            ("127.0.0.1", "http://localhost:8088/x", Err(E::NotHttps)),
            ("localhost", "http://localhost:8088/x", Ok(())),
            ("::1", "http://[::1]:8088/x", Ok(())),
            ("", "https://8.8.8.8/", Ok(())),
        ];
        for (list, url, want) in cases {
            assert_eq!(check(list, url), want, "{url} with '{list}'");
        }
    }

    #[test]
    fn resolved_addresses_are_filtered() {
        let at = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 0);
        let found = || vec![at("10.0.0.1"), at("8.8.8.8"), at("::1")];
        let left = |list, host| permitted(&allow(list), host, found());
        assert_eq!(left("", "lms.example"), [at("8.8.8.8")]);
        assert_eq!(
            left("10.0.0.0/8", "lms.example"),
            [at("10.0.0.1"), at("8.8.8.8")]
        );
        assert_eq!(left("lms.example", "lms.example"), found());
        assert_eq!(left("localhost", "localhost"), [at("::1")]);
        assert!(left("", "localhost").is_empty());
    }

    #[tokio::test]
    async fn a_name_that_points_inside_is_not_called() {
        let nobody = Fetcher::new(FetchAllow::default()).unwrap();
        let url = Url::parse("https://localhost/").unwrap();
        let error = nobody.get(&url, "*/*").await.unwrap_err();
        assert_eq!(error, FetchError::ForbiddenAddress);
    }

    #[tokio::test]
    async fn headers_go_out_as_given_and_come_back() {
        let server = Server::start(|_, _| {
            let headers = "retry-after: 7\r\nlink: <https://x/2>; rel=“next”\r\ncache-control: max-age=60\r\n";
            ("429 Too Many ana@x.example", headers, "[]".into())
        });
        let got = fetcher()
            .post(
                &server.url("/s?x=1"),
                "application/a+json",
                "application/b+json",
                Some("tok"),
                b"{}",
            )
            .await
            .unwrap();
        assert_eq!((got.status, &got.body[..]), (429, &b"[]"[..]));
        assert_eq!(got.retry_after.as_deref(), Some("7"));
        assert_eq!(got.link, ["<https://x/2>; rel=“next”"]);
        assert!(!format!("{got:?}").contains("ana"));
        let asked = &server.asked()[0];
        assert_eq!(asked.line, "POST /s?x=1 HTTP/1.1\r\n");
        assert_eq!(asked.header("content-type"), Some("application/a+json"));
        assert_eq!(asked.header("accept"), Some("application/b+json"));
        assert_eq!(asked.header("authorization"), Some("Bearer tok"));
        assert!(
            asked
                .header("user-agent")
                .unwrap()
                .starts_with("passmuster/")
        );
        assert_eq!(asked.body, "{}");
    }

    #[tokio::test]
    async fn redirects_are_not_followed_and_large_bodies_not_read() {
        let server = Server::start(|_, asked| match asked.line.as_str() {
            l if l.contains("/moved") => ("302 Found", "location: /elsewhere\r\n", String::new()),
            _ => ("200 OK", "", "x".repeat(MAX_BODY + 1)),
        });
        let moved = fetcher().get(&server.url("/moved"), "*/*").await.unwrap();
        assert_eq!(moved.status, 302);
        assert_eq!(server.asked().len(), 1);
        let large = fetcher().get(&server.url("/large"), "*/*").await;
        assert_eq!(large.unwrap_err(), FetchError::TooLarge);
    }

    #[tokio::test]
    async fn an_endless_body_is_cut_off_while_it_streams() {
        let server = Server::start(|_, _| {
            let chunk = format!("{:x}\r\n{}\r\n", 0x10000, "x".repeat(0x10000));
            (
                "200 OK",
                "transfer-encoding: chunked\r\nx-ignore: ",
                chunk.repeat(6),
            )
        });
        let got = fetcher().get(&server.url("/"), "*/*").await;
        assert_eq!(got.unwrap_err(), FetchError::TooLarge);
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable() {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        let error = fetcher().get(&url, "*/*").await.unwrap_err();
        assert_eq!(
            (error, error.is_temporary()),
            (FetchError::Unreachable, true)
        );
    }
}
