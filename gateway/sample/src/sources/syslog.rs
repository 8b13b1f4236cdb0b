//! Syslog of the servers: half of them send RFC 3164 lines, half RFC 5424.

use super::Scene;
use crate::geo::{self, RANGES, Use};
use crate::org::HOSTS;
use crate::out::Out;
use crate::rhythm::hour_of_week;
use crate::rng::Rng;

pub const HUMAN: u64 = 20;
const AUTH_INFO: u64 = 4 * 8 + 6;
const AUTHPRIV_INFO: u64 = 10 * 8 + 6;
const AUTHPRIV_NOTICE: u64 = 10 * 8 + 5;
const CRON_INFO: u64 = 9 * 8 + 6;
const DAEMON_INFO: u64 = 3 * 8 + 6;
const KERN_WARNING: u64 = 4;
pub const SSHD: u64 = AUTHPRIV_INFO;
pub const SUDO: u64 = AUTHPRIV_NOTICE;

pub struct Line<'a> {
    pub at: i64,
    pub priority: u64,
    pub host: &'a str,
    pub program: &'a str,
    pub pid: Option<u64>,
    pub message: &'a str,
}

const CRON: &[&str] = &[
    "(root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    "(root) CMD (/usr/local/bin/rotate-certs --check)",
    "(postgres) CMD (/usr/bin/pg_backup --incremental)",
    "(www-data) CMD (php /srv/app/artisan schedule:run)",
    "(root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)",
];
const SYSTEMD: &[&str] = &[
    "Started Session of User deploy.",
    "Finished Daily apt download activities.",
    "Starting Cleanup of Temporary Directories...",
    "Reloaded nginx.service - A high performance web server.",
    "node_exporter.service: Scheduled restart job, restart counter is at 1.",
];
const KERNEL: &[&str] = &[
    "[UFW BLOCK] IN=eth0 OUT= PROTO=TCP SPT=44912 DPT=23 WINDOW=1024 RES=0x00 SYN URGP=0",
    "TCP: request_sock_TCP: Possible SYN flooding on port 443. Sending cookies.",
    "Out of memory: Killed process 20817 (java) total-vm:8423040kB, anon-rss:6291456kB, file-rss:0kB",
];
const COMMANDS: &[&str] = &[
    "/usr/bin/systemctl restart nginx",
    "/usr/bin/journalctl -u api",
    "/usr/bin/apt-get update",
    "/usr/bin/tail -f /var/log/syslog",
    "/usr/bin/docker ps",
];
const GUESSES: &[&str] = &["admin", "test", "oracle", "ubuntu", "postgres", "git", "user", "ftp", "pi", "guest"];

pub fn write(scene: &Scene, rng: &mut Rng, at: i64, out: &mut Out) {
    let host = rng.pick(HOSTS).0;
    let pid = Some(rng.range(900, 60_000));
    let by_a_person = scene.by_a_person(rng, at, HUMAN);
    let mut line = Line { at, priority: DAEMON_INFO, host, program: "systemd", pid: Some(1), message: "" };
    let text;
    if by_a_person {
        let person = scene.org.at_work(rng, &scene.org.engineers, hour_of_week(at));
        (line.priority, line.program, line.pid) = (SSHD, "sshd", pid);
        let (name, ip) = (person.login.replace('.', "_"), dotted(person.ip(at)));
        text = match rng.below(10) {
            0..5 => format!(
                "Accepted publickey for {name} from {ip} port {} ssh2: ED25519 SHA256:{:x}",
                rng.range(1024, 65_535),
                person.key
            ),
            5 => format!("Failed password for {name} from {ip} port {} ssh2", rng.range(1024, 65_535)),
            6 | 7 => format!(
                "pam_unix(sshd:session): session opened for user {name}(uid={}) by (uid=0)",
                1000 + person.key % 120
            ),
            _ => {
                (line.priority, line.program, line.pid) = (SUDO, "sudo", None);
                format!(
                    "{name} : TTY=pts/{} ; PWD=/home/{name} ; USER=root ; COMMAND={}",
                    rng.below(4),
                    rng.word(COMMANDS)
                )
            }
        };
        line.message = &text;
        return emit(&line, out);
    }
    match rng.below(100) {
        0..55 => (line.priority, line.program, line.pid, line.message) = (CRON_INFO, "CRON", pid, rng.word(CRON)),
        55..75 => line.message = rng.word(SYSTEMD),
        75..78 => {
            (line.priority, line.program, line.pid, line.message) = (KERN_WARNING, "kernel", None, rng.word(KERNEL))
        }
        78..92 => {
            let guess = rng.word(GUESSES);
            let from = dotted(scanner(rng));
            text = match rng.below(3) {
                0 => format!("Invalid user {guess} from {from} port {}", rng.range(1024, 65_535)),
                1 => format!(
                    "Failed password for invalid user {guess} from {from} port {} ssh2",
                    rng.range(1024, 65_535)
                ),
                _ => format!("Connection closed by {from} port {} [preauth]", rng.range(1024, 65_535)),
            };
            (line.priority, line.program, line.pid, line.message) = (AUTH_INFO, "sshd", pid, &text);
            if line.host.starts_with("db") || line.host.starts_with("cache") {
                line.host = "bastion-1";
            }
        }
        _ => {
            text = format!(
                "Accepted publickey for deploy from 10.50.2.61 port {} ssh2: ED25519 SHA256:q0Yh2v4c",
                rng.range(1024, 65_535)
            );
            (line.priority, line.program, line.pid, line.message) = (SSHD, "sshd", pid, &text);
        }
    }
    emit(&line, out);
}

fn scanner(rng: &mut Rng) -> u32 {
    loop {
        let (used, range) = rng.pick(RANGES);
        if *used == Use::Internet {
            let (base, size) = geo::span(range.cidr);
            // Few machines do the guessing, so that one address comes back.
            return base + 1 + (rng.below(12) * 251 % u64::from(size)) as u32;
        }
    }
}

pub fn dotted(ip: u32) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::from(ip)
}

/// Hosts whose place in the list is even send RFC 5424.
pub fn emit(line: &Line, out: &mut Out) {
    let place = HOSTS.iter().position(|(host, _)| *host == line.host).unwrap_or(0);
    out.s("<").n(line.priority).s(">");
    if place % 2 == 0 {
        out.s("1 ").micros(line.at).s(" ").s(line.host).s(" ").s(line.program).s(" ");
        match line.pid {
            Some(pid) => out.n(pid),
            None => out.s("-"),
        };
        out.s(" - - ").s(line.message);
    } else {
        out.syslog(line.at).s(" ").s(line.host).s(" ").s(line.program);
        if let Some(pid) = line.pid {
            out.s("[").n(pid).s("]");
        }
        out.s(": ").s(line.message);
    }
}
