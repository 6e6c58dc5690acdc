fn main() -> std::process::ExitCode {
    workers::fan_out_events::main()
}
