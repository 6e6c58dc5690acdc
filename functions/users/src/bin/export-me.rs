fn main() -> std::process::ExitCode {
    users::export_me::main()
}
