fn main() -> std::process::ExitCode {
    workers::sweep_stragglers::main()
}
