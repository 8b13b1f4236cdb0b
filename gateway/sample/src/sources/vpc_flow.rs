//! VPC flow logs, version 2: space-separated lines under a header.

use super::Scene;
use crate::geo::{self, RANGES, Use};
use crate::org::{ACCOUNT_WEIGHT, ACCOUNTS, Account, HOSTS, ip};
use crate::out::{MICROS, Out};
use crate::rng::{Rng, mix};

pub const HUMAN: u64 = 30;
pub const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";

pub struct Flow<'a> {
    pub at: i64,
    pub account: &'a Account,
    /// The private address whose interface saw the flow.
    pub interface: u32,
    pub src: (u32, u64),
    pub dst: (u32, u64),
    pub protocol: u64,
    pub packets: u64,
    pub bytes: u64,
    pub seconds: u64,
    pub accepted: bool,
}

const INSIDE_PORTS: &[u64] = &[443, 443, 443, 5432, 5432, 6379, 8080, 9092, 53, 3306, 9200, 2049];
const SCANNED_PORTS: &[u64] = &[22, 22, 23, 23, 445, 3389, 3389, 8080, 5900, 1433, 6379, 2375, 9200, 25];

pub fn write(_: &Scene, rng: &mut Rng, at: i64, out: &mut Out) {
    let account = rng.weighted(ACCOUNTS, ACCOUNT_WEIGHT, |account| account.weight);
    let inside = inside(rng, account);
    let kind = rng.below(1000);
    if kind < 2 {
        return no_data(rng, at, account, inside, out);
    }
    let high = rng.range(1024, 65_535);
    let packets = rng.heavy_tail(4);
    let bytes = packets * rng.range(52, 1400);
    let mut flow = Flow {
        at,
        account,
        interface: inside,
        src: (inside, high),
        dst: (0, 443),
        protocol: 6,
        packets,
        bytes,
        seconds: rng.range(1, 60),
        accepted: true,
    };
    if kind < 480 {
        let port = *rng.pick(INSIDE_PORTS);
        let (near, far) = ((inside, high), (self::inside(rng, account), port));
        (flow.src, flow.dst) = if rng.chance(5000) { (near, far) } else { ((near.0, port), (far.0, high)) };
        flow.protocol = if port == 53 { 17 } else { 6 };
        flow.accepted = !rng.chance(30);
    } else if kind < 700 {
        let outside = outside(rng, Use::Cloud);
        (flow.src, flow.dst) =
            if rng.chance(5000) { ((inside, high), (outside, 443)) } else { ((outside, 443), (inside, high)) };
    } else if kind < 900 {
        let outside = outside(rng, Use::Internet);
        (flow.src, flow.dst) =
            if rng.chance(5000) { ((outside, high), (inside, 443)) } else { ((inside, 443), (outside, high)) };
    } else {
        flow.src = (outside(rng, Use::Internet), high);
        flow.dst = (inside, *rng.pick(SCANNED_PORTS));
        (flow.packets, flow.bytes, flow.accepted) = (1 + packets % 3, 44 * (1 + packets % 3), false);
    }
    emit(&flow, out);
}

fn inside(rng: &mut Rng, account: &Account) -> u32 {
    if account.net == 20 && rng.chance(5000) {
        return rng.pick(HOSTS).1;
    }
    ip(10, account.net as u8, rng.range(2, 12) as u8, rng.range(10, 60) as u8)
}

fn outside(rng: &mut Rng, used: Use) -> u32 {
    loop {
        let (of, range) = rng.pick(RANGES);
        if *of == used {
            let (base, size) = geo::span(range.cidr);
            return base + 1 + rng.below(u64::from(size) - 2) as u32;
        }
    }
}

fn interface(flow_interface: u32, out: &mut Out) {
    out.s(" eni-0").hex(mix(u64::from(flow_interface)), 16).s(" ");
}

fn no_data(rng: &mut Rng, at: i64, account: &Account, inside: u32, out: &mut Out) {
    let start = (at / MICROS) as u64;
    out.s("2 ").s(account.id);
    interface(inside, out);
    let status = if rng.chance(500) { "SKIPDATA" } else { "NODATA" };
    out.s("- - - - - - - ").n(start).s(" ").n(start + 60).s(" - ").s(status);
}

pub fn emit(flow: &Flow, out: &mut Out) {
    let start = (flow.at / MICROS) as u64;
    out.s("2 ").s(flow.account.id);
    interface(flow.interface, out);
    out.ip(flow.src.0).s(" ").ip(flow.dst.0).s(" ").n(flow.src.1).s(" ").n(flow.dst.1).s(" ").n(flow.protocol);
    out.s(" ").n(flow.packets).s(" ").n(flow.bytes).s(" ").n(start).s(" ").n(start + flow.seconds);
    out.s(if flow.accepted { " ACCEPT OK" } else { " REJECT OK" });
}
