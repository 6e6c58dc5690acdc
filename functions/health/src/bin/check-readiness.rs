fn main() -> std::process::ExitCode {
    health::check_readiness::main()
}
