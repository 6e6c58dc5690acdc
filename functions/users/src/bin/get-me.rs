fn main() -> std::process::ExitCode {
    users::get_me::main()
}
