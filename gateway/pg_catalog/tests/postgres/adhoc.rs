use crate::{corpus, evaluate, fixture::*, replay::Statement, server::Server};
#[tokio::test]
async fn adhoc() {
    let (Some(folder), Some(server)) = (corpus::folder("x"), Server::start("x")) else { return };
    Fixture::load_demo(&server, &folder).await;
    let fixture = Fixture::new(&server, &demo_objects()).await;
    for sql in std::fs::read_to_string("/tmp/chk/q.sql").unwrap().split(";\n") {
        let t = std::time::Instant::now();
        let a = evaluate::ask(&fixture, &Statement::plain(sql));
        println!(
            "{sql} => {:?}  {}",
            t.elapsed(),
            match a {
                Ok((_, r)) => format!("{} rows {:?}", r.len(), r.iter().take(12).collect::<Vec<_>>()),
                Err(e) => e,
            }
        );
    }
}
