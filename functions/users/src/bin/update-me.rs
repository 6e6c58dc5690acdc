fn main() -> std::process::ExitCode {
    users::update_me::main()
}
