fn main() -> std::process::ExitCode {
    health::check_liveness::main()
}
