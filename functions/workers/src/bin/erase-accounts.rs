fn main() -> std::process::ExitCode {
    workers::erase_accounts::main()
}
