fn main() -> std::process::ExitCode {
    users::erase_me::main()
}
