//! The catalogue from outside: what it remembers, and what no process, crash or damage may take from it.

mod checked;
mod damage;
mod failing;
mod golden;
mod memory;
mod neighbours;
mod nothing_new;
mod overview;
mod processes;
mod rules;
mod sample;
mod stores;
mod versions;

type TestResult = Result<(), Box<dyn std::error::Error>>;
