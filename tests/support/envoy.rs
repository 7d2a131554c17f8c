//! A real Envoy, started from the very file that we ship.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How an Envoy is to be started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The settings as the filter gets them; `None` takes the filter out.
    pub(crate) settings: Option<String>,
    /// The port of the identity provider.
    pub(crate) upstream: u16,
    /// Whether the upstream speaks HTTP/2.
    pub(crate) upstream_is_http2: bool,
    /// `allow_on_headers_stop_iteration`.
    pub(crate) holds: bool,
    /// The module; the release build unless a test needs another.
    pub(crate) module: PathBuf,
    /// Take the filter's configuration from a file that may change (ECDS).
    pub(crate) discovers: bool,
    /// Settings of a second gate behind the first, in the same VM.
    pub(crate) second: Option<String>,
    /// Whether Envoy lets `websocket` upgrades through.
    pub(crate) upgrades: bool,
    /// `--concurrency`.
    pub(crate) workers: usize,
}

impl Setup {
    pub(crate) fn new(settings: &str, upstream: u16) -> Self {
        Self {
            settings: Some(settings.to_owned()),
            upstream,
            upstream_is_http2: false,
            holds: true,
            module: module().to_owned(),
            discovers: false,
            second: None,
            upgrades: false,
            workers: 1,
        }
    }
}

/// A running Envoy; it ends with this value.
#[derive(Debug)]
pub(crate) struct Envoy {
    child: Child,
    setup: Setup,
    folder: PathBuf,
    pub(crate) port: u16,
    admin: u16,
}

impl Envoy {
    /// Starts one and waits until it listens.
    pub(crate) fn start(setup: Setup) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = target().join(format!("tmp/envoy-{}-{number}", std::process::id()));
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        if setup.discovers {
            write_discovered(&folder, &setup, setup.settings.as_deref().unwrap());
        }
        fs::write(folder.join("envoy.yaml"), bootstrap(&setup, &folder)).unwrap();
        let log = File::create(folder.join("log")).unwrap();
        // The pipe is a leash: however this process ends, the shell sees it and ends Envoy.
        let child = Command::new("sh")
            .args(["-c", "exec 3<&0; \"$@\" <&- 3<&- & envoy=$!; (cat <&3 >&2; kill $envoy) & wait $envoy", "sh"])
            .arg(binary())
            .args([
                "--disable-hot-restart",
                "--component-log-level",
                "wasm:info",
                "--log-level",
                "warning",
                "--service-node",
                "test",
                "--service-cluster",
                "test",
                "--concurrency",
            ])
            .arg(setup.workers.to_string())
            .arg("--admin-address-path")
            .arg(folder.join("admin"))
            .arg("-c")
            .arg(folder.join("envoy.yaml"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut envoy = Self { child, setup, folder, port: 0, admin: 0 };
        envoy.admin = envoy.wait("the admin address", |envoy| {
            let address = fs::read_to_string(envoy.folder.join("admin")).ok()?;
            address.rsplit_once(':')?.1.trim().parse().ok()
        });
        envoy.port = envoy.wait("the listener", |envoy| {
            if !envoy.admin("GET", "/ready")?.contains("LIVE") {
                return None;
            }
            let listeners = envoy.admin("GET", "/listeners?format=json")?;
            let at = listeners.find("\"port_value\":")?;
            let digits: String =
                listeners[at..].chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        });
        envoy
    }

    /// Polls until a question has an answer; a minute is far more than it takes.
    pub(crate) fn wait<T>(&mut self, what: &str, ask: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("Envoy ended with {status} before {what}:\n{}", self.log());
            }
            assert!(Instant::now() < deadline, "no {what} in time:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks the admin interface.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// The value of a statistic; 0 where it does not exist yet.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let stats = self.admin("GET", &format!("/stats?filter={name}")).unwrap();
        stats.lines().filter_map(|line| line.rsplit_once(": ")?.1.trim().parse::<u64>().ok()).max().unwrap_or(0)
    }

    /// Everything it has logged, its access log included.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// The CPU time that it has used so far, of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        let is_child = |stat: &str| {
            stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok()) == Some(self.child.id())
        };
        let stats = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
        let stat = stats.filter(|stat| stat.contains("(envoy)")).find(|stat| is_child(stat)).expect("Envoy in /proc");
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        // utime and stime, in ticks of 10 ms (proc(5)).
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Publishes another configuration of the filter (only with `discovers`).
    pub(crate) fn publish(&self, settings: &str) {
        write_discovered(&self.folder, &self.setup, settings);
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _reaped = self.child.wait();
    }
}

/// Replaces a literal that must stand exactly once.
fn replace(text: &str, literal: &str, by: &str) -> String {
    assert_eq!(text.matches(literal).count(), 1, "envoy/gate.yaml must have `{literal}` once");
    text.replacen(literal, by, 1)
}

fn bootstrap(setup: &Setup, folder: &Path) -> String {
    let mut text = fs::read_to_string(root().join("envoy/gate.yaml")).unwrap();
    text = replace(&text, "port_value: 9901", "port_value: 0");
    text = replace(&text, "port_value: 10000", "port_value: 0");
    text = replace(&text, "port_value: 9000", &format!("port_value: {}", setup.upstream));
    if setup.upstream_is_http2 {
        text = replace(
            &text,
            "explicit_http_config: { http_protocol_options: { enable_trailers: true } }",
            "explicit_http_config: { http2_protocol_options: {} }",
        );
    }
    if setup.upgrades {
        text = replace(
            &text,
            "          route_config:\n",
            "          upgrade_configs: [{ upgrade_type: websocket }]\n          route_config:\n",
        );
    }
    let start = text.find("          - name: tpc-gate\n").unwrap();
    let end = text.find("          - name: envoy.filters.http.router\n").unwrap();
    let mut filters = match &setup.settings {
        None => String::new(),
        Some(_) if setup.discovers => format!(
            "          - name: tpc-gate\n            config_discovery:\n              config_source:\n                path_config_source: \
             {{ path: \"{}\", watched_directory: {{ path: \"{}\" }} }}\n                resource_api_version: V3\n              \
             type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]\n",
            folder.join("ecds/filter.yaml").display(),
            folder.join("ecds").display(),
        ),
        Some(settings) => filter(&text[start..end], setup, settings),
    };
    if let Some(settings) = &setup.second {
        let second = filter(&text[start..end], setup, settings);
        filters.push_str(&replace(
            &replace(&second, "- name: tpc-gate", "- name: tpc-gate-2"),
            "root_id: gate",
            "root_id: gate-2",
        ));
    }
    text.replace_range(start..end, &filters);
    text
}

/// The filter as the file has it, with its few literals replaced.
fn filter(text: &str, setup: &Setup, settings: &str) -> String {
    let value_at = text.find("value: |\n").unwrap();
    // A JSON string is a YAML string.
    let text = format!("{}value: {}\n", &text[..value_at], serde_json::to_string(settings).unwrap());
    let text = replace(&text, "target/wasm32-wasip1/release/tpc_gate.wasm", &format!("\"{}\"", setup.module.display()));
    if setup.holds {
        text
    } else {
        replace(&text, "allow_on_headers_stop_iteration: true", "allow_on_headers_stop_iteration: false")
    }
}

/// Writes the filter's configuration as one discovered resource, and moves it into place.
fn write_discovered(folder: &Path, setup: &Setup, settings: &str) {
    static VERSION: AtomicUsize = AtomicUsize::new(1);
    let text = fs::read_to_string(root().join("envoy/gate.yaml")).unwrap();
    let start = text.find("          - name: tpc-gate\n").unwrap();
    let end = text.find("          - name: envoy.filters.http.router\n").unwrap();
    let filter = filter(&text[start..end], setup, settings).replacen("          - name: tpc-gate\n", "", 1);
    let resource = format!(
        "version_info: \"{}\"\nresources:\n- \"@type\": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig\n  name: tpc-gate\n{}",
        VERSION.fetch_add(1, Ordering::Relaxed),
        filter.lines().flat_map(|line| [line.strip_prefix("          ").unwrap_or(line), "\n"]).collect::<String>(),
    );
    fs::create_dir_all(folder.join("ecds")).unwrap();
    fs::write(folder.join("ecds.new"), resource).unwrap();
    fs::rename(folder.join("ecds.new"), folder.join("ecds/filter.yaml")).unwrap();
}

/// The release build of the module, built once per run: a stale one is the classic false green.
pub(crate) fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| build(&["--lib"], &target(), "tpc_gate.wasm"))
}

/// The build that traps when it is asked to.
pub(crate) fn trapping_module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| build(&["--lib", "--features", "trap-for-tests"], &target().join("trap"), "tpc_gate.wasm"))
}

/// Builds a module for release.
pub(crate) fn build(arguments: &[&str], target: &Path, module: &str) -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip1"])
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .env_remove("RUSTFLAGS")
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success(), "the module does not build");
    target.join("wasm32-wasip1/release").join(module)
}

/// `$ENVOY`, or what `scripts/fetch-envoy` has fetched.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("ENVOY") {
        return path.into();
    }
    let pattern = target().join("tools/envoy/lib");
    let fetched = fs::read_dir(pattern).ok().and_then(|versions| {
        versions
            .filter_map(Result::ok)
            .map(|python| python.path().join("site-packages/envoy/_bin/envoy"))
            .find(|path| path.is_file())
    });
    fetched.expect("no Envoy: run `scripts/fetch-envoy`, or set ENVOY to the path of one")
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder for builds and for what lives as long as a run.
pub(crate) fn target() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}
