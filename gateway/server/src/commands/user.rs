use std::io::{BufRead, IsTerminal, Write};

use mantissa_core::{Secret, UserName};
use mantissa_store::NewUser;

use super::{Failure, print};
use crate::cli::UserCommand;
use crate::config::Config;
use crate::wiring;

/// `mantissa user add|password|remove|list`.
pub async fn run(config: &Config, command: UserCommand, json: bool) -> Result<(), Failure> {
    let store = wiring::open_store(config).await?;
    match command {
        UserCommand::Add { name, role } => {
            let password = read_password(&name)?;
            store.add_user(NewUser { name: UserName::new(&name), password: Some(password), roles: role }).await?;
            say!("user {name} added");
        }
        UserCommand::Password { name } => {
            let password = read_password(&name)?;
            store.set_password(&UserName::new(&name), &password).await?;
            say!("password of {name} changed");
        }
        UserCommand::Remove { name } => {
            store.remove_user(&UserName::new(&name)).await?;
            say!("user {name} removed");
        }
        UserCommand::List => {
            let users = store.list_users().await?;
            let rows: Vec<_> = users
                .iter()
                .map(|user| {
                    vec![
                        user.name.to_string(),
                        user.roles.join(", "),
                        if user.disabled { "disabled" } else { "enabled" }.to_owned(),
                        user.created_at.format("%Y-%m-%d %H:%M").to_string(),
                    ]
                })
                .collect();
            print::table(&["user", "roles", "state", "created"], &rows, json)?;
        }
    }
    store.close().await?;
    Ok(())
}

/// One line of standard input; at a terminal with a prompt and without echo.
fn read_password(user: &str) -> Result<Secret, Failure> {
    let stdin = std::io::stdin();
    let terminal = stdin.is_terminal();
    if terminal {
        eprint!("Password of {user}: ");
        let _ = std::io::stderr().flush();
        echo(false);
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if terminal {
        echo(true);
        eprintln!();
    }
    read.map_err(|error| Failure::message(format!("the password cannot be read: {error}")))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::message("the password is empty").hint("Give it on standard input: a line of text."));
    }
    Ok(Secret::new(password))
}

/// Switches the terminal's echo through stty, the one tool that every Unix has for it.
fn echo(on: bool) {
    let argument = if on { "echo" } else { "-echo" };
    let _ = std::process::Command::new("stty").arg(argument).stdin(std::process::Stdio::inherit()).status();
}
