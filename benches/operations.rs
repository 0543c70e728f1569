//! `cargo bench`: the cases of `unpool bench --small`, five runs each, on the best adapter and on the CPU.

use unpool::Engine;
use unpool_bench::{Order, Runs, Size};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runs = Runs { each: 5, order: Order::Interleaved };
    for engine in [Engine::named("gpu"), Ok(Engine::Cpu)] {
        let engine = match engine {
            Ok(engine) => engine,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        println!("{}", engine.description());
        for case in unpool_bench::cases(Size::Small)? {
            for row in unpool_bench::run(&engine, &case, runs)? {
                println!(
                    "{:<14} {:<19} {:>8.3} ms {:>7.3} × copy",
                    row.case, row.op, row.median_ms, row.ratio_to_copy
                );
            }
        }
    }
    Ok(())
}
