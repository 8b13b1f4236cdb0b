//! A real PostgreSQL 15 for one test: its own directory, a socket in it, no network.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio_postgres::{Client, NoTls};

const BIN: &str = "/usr/lib/postgresql/15/bin";
/// Makes any minor release of PostgreSQL 15 look like the one that is served.
const RELEASE: &str = include_str!("../../data/release.sql");
/// The user that Debian's package makes; PostgreSQL refuses to run as root.
const SYSTEM_USER: &str = "postgres";

pub struct Server {
    directory: tempfile::TempDir,
}

impl Server {
    /// Starts PostgreSQL. `None` where it is not installed, having said so; with CI=true that is a failure.
    pub fn start(test: &str) -> Option<Self> {
        if !Path::new(BIN).join("initdb").exists() {
            assert!(env::var("CI").as_deref() != Ok("true"), "{test}: PostgreSQL 15 is not installed in {BIN}");
            eprintln!("skipped {test}: PostgreSQL 15 is not installed in {BIN}");
            return None;
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let server = Self { directory };
        if is_root() {
            run(Command::new("chown").arg(SYSTEM_USER).arg(server.path()));
        }
        let data = server.data();
        run(server
            .command("initdb")
            .args(["-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "--no-sync", "-D"])
            .arg(&data));
        let options = format!("-k {} -c listen_addresses= -c fsync=off -c timezone=UTC", server.path().display());
        let log = server.path().join("log");
        let mut start = server.command("pg_ctl");
        start.args(["-w", "-s", "-o", &options, "-l"]).arg(log).arg("-D").arg(&data).arg("start");
        run(&mut start);
        // Databases that are made later are copies of this one.
        let mut release = server.command("psql");
        release.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "template1", "-c", RELEASE, "-h"]);
        run(release.arg(server.path()));
        Some(server)
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// A program of PostgreSQL's, run as a user that is not root.
    fn command(&self, program: &str) -> Command {
        let program = Path::new(BIN).join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            let user = format!("--reuid={SYSTEM_USER}");
            command.args([&user, &format!("--regid={SYSTEM_USER}"), "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.path());
        command
    }

    pub async fn connect(&self, database: &str) -> Client {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.path()).user("postgres").dbname(database).application_name("replay");
        let (client, connection) = config.connect(NoTls).await.expect("a connection to PostgreSQL");
        tokio::spawn(connection);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        let mut stop = self.command("pg_ctl");
        let _ = stop.args(["-s", "-m", "immediate", "-D"]).arg(data).arg("stop").output();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
